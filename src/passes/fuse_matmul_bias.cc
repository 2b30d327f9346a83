#include "passes/fuse_matmul_bias.h"

#include "passes/linear_op.h"
#include "traits/op_names.h"

namespace twofold {

int fuse_matmul_bias(Graph& graph) {
  int fused = 0;
  const Pattern pattern(graph);
  for (NodeId id : graph.topological_order()) {
    if (!graph.node(id).is(op::kAdd)) continue;
    const auto match = match_channel_operand(graph, pattern, id, /*commutes=*/true);
    if (!match || match->op.rank != 2 || !graph.node(match->op.node).is(op::kMatMul)) continue;
    if (!graph.has_single_use(graph.node(match->op.node).outputs[0])) continue;
    graph.set_op_type(match->op.node, op::kGemm);
    LinearOp gemm = match->op;
    gemm.channel_axis = 1;
    const ChannelAffine affine{std::vector<double>(match->operand.size(), 1.0), match->operand};
    if (fold_following(graph, gemm, id, affine)) {
      ++fused;
    } else {
      graph.set_op_type(match->op.node, op::kMatMul);
    }
  }
  return fused;
}

}  // namespace twofold
