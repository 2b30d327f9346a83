#include "passes/fold_bias.h"

#include "passes/linear_op.h"
#include "traits/op_names.h"

namespace twofold {

int fold_bias(Graph& graph) {
  int folded = 0;
  const Pattern pattern(graph);
  for (NodeId id : graph.topological_order()) {
    const bool subtracts = graph.node(id).is(op::kSub);
    if (!subtracts && !graph.node(id).is(op::kAdd)) continue;
    const auto match = match_channel_operand(graph, pattern, id, /*commutes=*/!subtracts);
    if (!match || graph.node(match->op.node).is(op::kMatMul)) continue;
    ChannelAffine affine{std::vector<double>(match->operand.size(), 1.0), match->operand};
    if (subtracts) {
      for (double& shift : affine.shift) shift = -shift;
    }
    if (fold_following(graph, match->op, id, affine)) ++folded;
  }
  return folded;
}

}  // namespace twofold
