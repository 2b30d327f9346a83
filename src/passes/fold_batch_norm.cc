#include "passes/fold_batch_norm.h"

#include <cmath>

#include "passes/linear_op.h"
#include "traits/op_names.h"

namespace twofold {

namespace {

std::optional<ChannelAffine> affine_of(const Graph& graph, const Node& node, int64_t channels) {
  const Tensor* parameters[4];  // gamma, beta, mean, var
  for (int i = 0; i < 4; ++i) {
    parameters[i] = graph.constant(node.input(i + 1));
    if (parameters[i] == nullptr || parameters[i]->dtype() != DType::kFloat32) return std::nullopt;
    if (parameters[i]->shape() != Shape{channels}) return std::nullopt;
  }
  const double epsilon = node.attributes.get_float("epsilon", 1e-5F);
  ChannelAffine affine;
  for (size_t c = 0; c < static_cast<size_t>(channels); ++c) {
    const auto at = [&](int i) { return static_cast<double>(parameters[i]->data<float>()[c]); };
    affine.scale.push_back(at(0) / std::sqrt(at(3) + epsilon));
    affine.shift.push_back(at(1) - at(2) * affine.scale.back());
  }
  return affine;
}

}  // namespace

int fold_batch_norm(Graph& graph) {
  int folded = 0;
  const Pattern pattern(graph);
  for (NodeId id : graph.topological_order()) {
    const Node& node = graph.node(id);
    if (!node.is(op::kBatchNormalization) || node.outputs.size() != 1 || node.input(0) == kNone) continue;
    if (node.attributes.get_int("training_mode", 0) != 0) continue;
    const auto op = match_linear_op(graph, pattern, graph.producer(node.inputs[0]));
    // The channels of a MatMul lie on its last axis, those of BatchNormalization on axis 1.
    if (!op || op->channel_axis != 1) continue;
    const auto affine = affine_of(graph, node, op->channels);
    if (affine && fold_following(graph, *op, id, *affine)) ++folded;
  }
  return folded;
}

}  // namespace twofold
