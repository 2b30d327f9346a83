#include "passes/fuse_hard_swish.h"

#include "passes/pattern.h"
#include "traits/op_names.h"

namespace twofold {

namespace {

// A matched expression of x: the nodes that compute it, innermost first.
struct Match {
  ValueId x = kNone;
  std::vector<NodeId> nodes;
};

// x / 6, at the node itself.
std::optional<ValueId> sixth_of(const Pattern& pattern, NodeId id) {
  const auto div = pattern.scalar_operation(id, op::kDiv);
  if (div && nearly(div->scalar, 6.0)) return div->x;
  const auto mul = pattern.scalar_operation(id, op::kMul);
  if (mul && nearly(mul->scalar, 1.0 / 6.0)) return mul->x;
  return std::nullopt;
}

// Clip(x + 3, 0, 6).
std::optional<Match> match_clip(const Graph& graph, const Pattern& pattern, ValueId id) {
  const NodeId clip = pattern.producer(id, op::kClip);
  if (clip == kNone || scalar_constant(graph, graph.node(clip).input(1)) != 0.0F) return std::nullopt;
  if (scalar_constant(graph, graph.node(clip).input(2)) != 6.0F) return std::nullopt;
  const ValueId sum = graph.node(clip).input(0);
  const ValueId x = pattern.undo(sum, op::kAdd, 3.0);
  if (x == kNone) return std::nullopt;
  return Match{x, {graph.producer(sum), clip}};
}

// (x * Clip(x + 3, 0, 6)) / 6 at `last`.
std::optional<Match> match_divided_product(const Graph& graph, const Pattern& pattern, NodeId last) {
  const auto product = sixth_of(pattern, last);
  const NodeId mul = product ? pattern.producer(*product, op::kMul) : kNone;
  if (mul == kNone) return std::nullopt;
  for (ValueId factor : graph.node(mul).inputs) {
    auto match = match_clip(graph, pattern, factor);
    if (!match || pattern.other_input(mul, factor) != match->x) continue;
    match->nodes.push_back(mul);
    return match;
  }
  return std::nullopt;
}

// x * HardSigmoid(x) or (x / 6) * Clip(x + 3, 0, 6) at `last`.
std::optional<Match> match_product(const Graph& graph, const Pattern& pattern, NodeId last) {
  if (!graph.node(last).is(op::kMul)) return std::nullopt;
  for (ValueId factor : graph.node(last).inputs) {
    const ValueId other = pattern.other_input(last, factor);
    if (other == kNone) continue;
    const NodeId sigmoid = pattern.producer(factor, op::kHardSigmoid);
    if (sigmoid != kNone && graph.node(sigmoid).input(0) == other) {
      const Attributes& attributes = graph.node(sigmoid).attributes;
      if (nearly(attributes.get_float("alpha", 0.2F), 1.0 / 6.0) && nearly(attributes.get_float("beta", 0.5F), 0.5)) {
        return Match{other, {sigmoid}};
      }
    }
    auto match = match_clip(graph, pattern, factor);
    const NodeId divided = graph.producer(other);
    if (match && divided != kNone && sixth_of(pattern, divided) == match->x) {
      match->nodes.push_back(divided);
      return match;
    }
  }
  return std::nullopt;
}

bool fuse_sigmoid_at(Graph& graph, Pattern& pattern, NodeId id) {
  const auto clipped = sixth_of(pattern, id);
  const auto match = clipped ? match_clip(graph, pattern, *clipped) : std::nullopt;
  if (!match || !pattern.is_private(match->nodes, id)) return false;
  Attributes attributes;
  attributes.set("alpha", 1.0F / 6.0F);
  attributes.set("beta", 0.5F);
  pattern.fuse(match->nodes, id, op::kHardSigmoid, {match->x}, std::move(attributes));
  return true;
}

bool fuse_swish_at(Graph& graph, Pattern& pattern, NodeId id) {
  auto match = match_divided_product(graph, pattern, id);
  if (!match) match = match_product(graph, pattern, id);
  if (!match || !pattern.is_private(match->nodes, id)) return false;
  pattern.fuse(match->nodes, id, op::kHardSwish, {match->x});
  return true;
}

}  // namespace

int fuse_hard_swish(Graph& graph) {
  const int sigmoids = fuse_everywhere(graph, fuse_sigmoid_at);
  return sigmoids + fuse_everywhere(graph, fuse_swish_at);
}

}  // namespace twofold
