// What calibration must observe for a plan.
#ifndef TWOFOLD_SRC_QUANTIZE_OBSERVATION_REQUESTS_H_
#define TWOFOLD_SRC_QUANTIZE_OBSERVATION_REQUESTS_H_

#include <vector>

#include "calibrate/calibrate.h"
#include "graph/graph.h"
#include "plan/plan.h"

namespace twofold {

// Each value whose range sets a scale, or may, once and by id: of a tensor that is quantized alone, its own; of a group
// (ScaleGroups), those that hold all of it, and those that anything computes with, which may get a scale of their own.
std::vector<ValueRequest> observation_requests(const Graph& graph, const Plan& plan);

}  // namespace twofold

#endif  // TWOFOLD_SRC_QUANTIZE_OBSERVATION_REQUESTS_H_
