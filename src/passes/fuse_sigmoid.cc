#include "passes/fuse_sigmoid.h"

#include "passes/pattern.h"
#include "traits/op_names.h"

namespace twofold {

namespace {

struct Match {
  ValueId x = kNone;
  std::vector<NodeId> inner;  // the negation and the Exp
  NodeId sum = kNone;
};

// 1 + Exp(-x).
std::optional<Match> match_sum(const Graph& graph, const Pattern& pattern, ValueId id) {
  const ValueId power = pattern.undo(id, op::kAdd, 1.0);
  const NodeId exp = pattern.producer(power, op::kExp);
  if (exp == kNone) return std::nullopt;
  const ValueId negated = graph.node(exp).input(0);
  const NodeId neg = pattern.producer(negated, op::kNeg);
  const ValueId x = neg != kNone ? graph.node(neg).input(0) : pattern.undo(negated, op::kMul, -1.0);
  if (x == kNone) return std::nullopt;
  return Match{x, {graph.producer(negated), exp}, graph.producer(id)};
}

// Whether the constant is one number, 1, that does not change the shape of what it is divided by.
bool is_one(const Graph& graph, const Pattern& pattern, ValueId constant, ValueId x) {
  if (scalar_constant(graph, constant) != 1.0F) return false;
  const int rank = graph.constant(constant)->rank();
  return rank == 0 || pattern.type(x).rank() >= rank;
}

bool fuse_at(Graph& graph, Pattern& pattern, NodeId id) {
  const bool reciprocal = graph.node(id).is(op::kReciprocal);
  if (!reciprocal && !(graph.node(id).is(op::kDiv) && graph.node(id).inputs.size() == 2)) return false;
  auto match = match_sum(graph, pattern, graph.node(id).input(reciprocal ? 0 : 1));
  if (!match) return false;
  if (reciprocal || is_one(graph, pattern, graph.node(id).input(0), match->x)) {
    match->inner.push_back(match->sum);
    if (!pattern.is_private(match->inner, id)) return false;
    pattern.fuse(match->inner, id, op::kSigmoid, {match->x});
    return true;
  }
  if (!graph.has_single_use(graph.node(match->sum).outputs[0]) || !pattern.is_private(match->inner, match->sum)) {
    return false;
  }
  pattern.fuse(match->inner, match->sum, op::kSigmoid, {match->x});
  graph.set_op_type(id, op::kMul);
  return true;
}

}  // namespace

int fuse_sigmoid(Graph& graph) { return fuse_everywhere(graph, fuse_at); }

}  // namespace twofold
