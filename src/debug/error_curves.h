// How the error of a partly quantized model builds up.
#ifndef TWOFOLD_SRC_DEBUG_ERROR_CURVES_H_
#define TWOFOLD_SRC_DEBUG_ERROR_CURVES_H_

#include <functional>
#include <set>
#include <string>
#include <vector>

#include "debug/sensitivity.h"
#include "quantize/compare.h"

namespace twofold {

// Along the model: the error of what every node computes, where only some operands are quantized. One entry per node
// that computes a float tensor which both models have, in graph order.
std::vector<TensorComparison> errors_along(CalibratedModel& model, const Plan& plan, const std::set<size_t>& operands,
                                           const Dataset& data, const CompareOptions& options);

// Along a list of units that are quantized one after the other: how many are, and the error of the model's outputs.
struct Growth {
  std::vector<size_t> counts;
  std::vector<Sensitivity> errors;
};
// At most `points` counts, evenly apart, the last of them all.
Growth errors_growing(CalibratedModel& model, const Plan& plan, const std::vector<Unit>& units, size_t points,
                      const SensitivityOptions& options);

}  // namespace twofold

#endif  // TWOFOLD_SRC_DEBUG_ERROR_CURVES_H_
