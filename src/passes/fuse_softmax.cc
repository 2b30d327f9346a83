#include "passes/fuse_softmax.h"

#include <limits>

#include "passes/pattern.h"
#include "traits/op_names.h"

namespace twofold {

namespace {

// Max(-infinity, x): x, and the node; x itself where it is none.
ValueId without_lowest(const Graph& graph, const Pattern& pattern, ValueId id, std::vector<NodeId>& nodes) {
  const NodeId max = pattern.producer(id, op::kMax);
  if (max == kNone || graph.node(max).inputs.size() != 2) return id;
  for (const int at : {0, 1}) {
    const std::optional<float> lowest = scalar_constant(graph, graph.node(max).input(at));
    if (lowest != -std::numeric_limits<float>::infinity()) continue;
    nodes.push_back(max);
    return graph.node(max).input(1 - at);
  }
  return id;
}

// What a softmax over `axis` of `shifted` is one of: x where that is x - max(x), whose nodes are appended; else itself.
ValueId softmax_input(const Graph& graph, const Pattern& pattern, ValueId shifted, int64_t axis,
                      std::vector<NodeId>& nodes) {
  const NodeId sub = pattern.producer(shifted, op::kSub);
  if (sub == kNone || graph.node(sub).input(1) == kNone) return shifted;
  std::vector<NodeId> found = {sub};
  const ValueId largest = without_lowest(graph, pattern, graph.node(sub).inputs[1], found);
  const auto max = pattern.reduction(largest, op::kReduceMax);
  if (!max || max->axis != axis || max->x != graph.node(sub).inputs[0]) return shifted;
  found.push_back(max->node);
  if (!pattern.is_private(found, graph.consumers(shifted)[0])) return shifted;
  nodes.insert(nodes.end(), found.begin(), found.end());
  return max->x;
}

// The sum that `powers` is divided by at `id`, and the Reciprocal in between; kNone where it is not divided.
ValueId divisor(const Graph& graph, const Pattern& pattern, NodeId id, ValueId powers, std::vector<NodeId>& nodes) {
  const Node& node = graph.node(id);
  if (node.is(op::kDiv)) return node.inputs.size() == 2 && node.inputs[0] == powers ? node.inputs[1] : kNone;
  const NodeId reciprocal = pattern.producer(pattern.other_input(id, powers), op::kReciprocal);
  if (reciprocal == kNone) return kNone;
  nodes.push_back(reciprocal);
  return graph.node(reciprocal).input(0);
}

bool fuse_at(Graph& graph, Pattern& pattern, NodeId id) {
  if (!graph.node(id).is(op::kDiv) && !graph.node(id).is(op::kMul)) return false;
  for (const ValueId powers : graph.node(id).inputs) {
    const NodeId exp = pattern.producer(powers, op::kExp);
    if (exp == kNone) continue;
    std::vector<NodeId> nodes = {exp};
    const auto sum = pattern.reduction(divisor(graph, pattern, id, powers, nodes), op::kReduceSum);
    if (!sum || sum->x != powers) continue;
    nodes.push_back(sum->node);
    const ValueId x = softmax_input(graph, pattern, graph.node(exp).input(0), sum->axis, nodes);
    if (x == kNone || !pattern.is_private(nodes, id)) continue;
    Attributes attributes;
    attributes.set("axis", sum->axis);
    pattern.fuse(nodes, id, op::kSoftmax, {x}, std::move(attributes));
    return true;
  }
  return false;
}

}  // namespace

int fuse_softmax(Graph& graph) { return fuse_everywhere(graph, fuse_at); }

}  // namespace twofold
