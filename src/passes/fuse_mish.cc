#include "passes/fuse_mish.h"

#include "passes/pattern.h"
#include "traits/op_names.h"

namespace twofold {

namespace {

bool fuse_softplus(Graph& graph, Pattern& pattern, NodeId id) {
  if (!graph.node(id).is(op::kLog)) return false;
  const ValueId sum = graph.node(id).input(0);
  const NodeId exp = pattern.producer(pattern.undo(sum, op::kAdd, 1.0), op::kExp);
  if (exp == kNone) return false;
  const std::vector<NodeId> inner = {graph.producer(sum), exp};
  if (!pattern.is_private(inner, id)) return false;
  pattern.fuse(inner, id, op::kSoftplus, {graph.node(exp).inputs[0]});
  return true;
}

bool fuse_tanh_of_softplus(Graph& graph, Pattern& pattern, NodeId id) {
  if (!graph.node(id).is(op::kMul)) return false;
  for (ValueId factor : graph.node(id).inputs) {
    const NodeId tanh = pattern.producer(factor, op::kTanh);
    const NodeId softplus = tanh == kNone ? kNone : pattern.producer(graph.node(tanh).input(0), op::kSoftplus);
    if (softplus == kNone || pattern.other_input(id, factor) != graph.node(softplus).input(0)) continue;
    if (!pattern.is_private({tanh, softplus}, id)) continue;
    pattern.fuse({tanh, softplus}, id, op::kMish, {graph.node(softplus).inputs[0]});
    return true;
  }
  return false;
}

bool fuse_at(Graph& graph, Pattern& pattern, NodeId id) {
  return fuse_softplus(graph, pattern, id) || fuse_tanh_of_softplus(graph, pattern, id);
}

}  // namespace

int fuse_mish(Graph& graph) { return fuse_everywhere(graph, fuse_at); }

}  // namespace twofold
