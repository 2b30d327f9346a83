// The bias corrections of a plan, put into a graph.
#ifndef TWOFOLD_SRC_QUANTIZE_BIAS_SHIFTS_H_
#define TWOFOLD_SRC_QUANTIZE_BIAS_SHIFTS_H_

#include <span>

#include "graph/graph.h"
#include "plan/plan.h"

namespace twofold {

// The constant bias of a node (zeros where it has none) plus `shift`, one number per output channel.
Tensor shifted_bias(const Graph& graph, const Node& node, std::span<const float> shift);

// Adds the shift to the bias of a node, as a new constant. Ids stay.
void shift_bias(Graph& graph, NodeId node, std::span<const float> shift);

// The same with OperandPlan::bias_shift of every weight.
void shift_biases(const Plan& plan, Graph& graph);

}  // namespace twofold

#endif  // TWOFOLD_SRC_QUANTIZE_BIAS_SHIFTS_H_
