// Plans that come from files, before they are applied.
#ifndef TWOFOLD_SRC_QUANTIZE_CHECK_PLAN_H_
#define TWOFOLD_SRC_QUANTIZE_CHECK_PLAN_H_

#include "graph/graph.h"
#include "plan/plan.h"

namespace twofold {

// Checks that CalibratedModel::apply can be called on the equalized graph: operands that the graph has, one scale or as
// many as the axis has indices, one rounding per weight, as many numbers in a bias_shift as there are output channels.
// Throws Error(kInvalidArgument) naming node and operand. A plan that decide_plan made passes.
void check_plan(const Plan& plan, const Graph& graph);

}  // namespace twofold

#endif  // TWOFOLD_SRC_QUANTIZE_CHECK_PLAN_H_
