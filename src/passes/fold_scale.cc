#include "passes/fold_scale.h"

#include "passes/linear_op.h"
#include "traits/op_names.h"

namespace twofold {

int fold_scale(Graph& graph) {
  int folded = 0;
  const Pattern pattern(graph);
  for (NodeId id : graph.topological_order()) {
    const bool divides = graph.node(id).is(op::kDiv);
    if (!divides && !graph.node(id).is(op::kMul)) continue;
    const auto match = match_channel_operand(graph, pattern, id, /*commutes=*/!divides);
    if (!match) continue;
    ChannelAffine affine{match->operand, std::vector<double>(match->operand.size(), 0.0)};
    if (divides) {
      for (double& scale : affine.scale) scale = 1.0 / scale;
    }
    if (fold_following(graph, match->op, id, affine)) ++folded;
  }
  return folded;
}

}  // namespace twofold
