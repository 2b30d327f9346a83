#include "passes/fuse_layer_norm.h"

#include <algorithm>

#include "passes/pattern.h"
#include "traits/op_names.h"

namespace twofold {

namespace {

struct Match {
  ValueId x = kNone, gamma = kNone, beta = kNone;
  float epsilon = 0;
  std::vector<NodeId> nodes;  // all but the last one
  NodeId last = kNone;
};

// The input of a ReduceMean over the last axis that keeps it; kNone otherwise.
ValueId mean_input(const Graph& graph, const Pattern& pattern, ValueId id) {
  const NodeId mean = pattern.producer(id, op::kReduceMean);
  if (mean == kNone || graph.node(mean).attributes.get_int("keepdims", 1) == 0) return kNone;
  const ValueId x = graph.node(mean).input(0);
  const Tensor* axes = graph.constant(graph.node(mean).input(1));
  if (x == kNone || axes == nullptr || axes->dtype() != DType::kInt64 || axes->size() != 1) return kNone;
  const int64_t axis = axes->data<int64_t>()[0];
  const int rank = pattern.type(x).rank();
  return axis == -1 || (rank > 0 && axis == rank - 1) ? x : kNone;
}

// x where `id` is x - mean(x); appends the two nodes.
ValueId centered_input(const Graph& graph, const Pattern& pattern, ValueId id, std::vector<NodeId>& nodes) {
  const NodeId sub = pattern.producer(id, op::kSub);
  if (sub == kNone || graph.node(sub).input(1) == kNone) return kNone;
  const ValueId x = graph.node(sub).inputs[0], mean = graph.node(sub).inputs[1];
  if (x == kNone || mean_input(graph, pattern, mean) != x) return kNone;
  for (NodeId node : {graph.producer(mean), sub}) {
    if (std::find(nodes.begin(), nodes.end(), node) == nodes.end()) nodes.push_back(node);
  }
  return x;
}

// The value whose square is `id`; appends the node.
ValueId square_root(const Graph& graph, const Pattern& pattern, ValueId id, std::vector<NodeId>& nodes) {
  ValueId root = pattern.undo(id, op::kPow, 2.0);
  if (root == kNone) {
    const NodeId mul = pattern.producer(id, op::kMul);
    if (mul != kNone && graph.node(mul).inputs.size() == 2 && graph.node(mul).inputs[0] == graph.node(mul).inputs[1]) {
      root = graph.node(mul).inputs[0];
    }
  }
  if (root != kNone) nodes.push_back(graph.producer(id));
  return root;
}

// (x - mean) / sqrt(mean((x - mean)^2) + epsilon) at the Div `id`.
std::optional<Match> match_normalized(const Graph& graph, const Pattern& pattern, NodeId id) {
  if (!graph.node(id).is(op::kDiv) || graph.node(id).inputs.size() != 2) return std::nullopt;
  Match match;
  match.x = centered_input(graph, pattern, graph.node(id).inputs[0], match.nodes);
  const NodeId sqrt = pattern.producer(graph.node(id).inputs[1], op::kSqrt);
  if (match.x == kNone || sqrt == kNone) return std::nullopt;
  const NodeId add = pattern.producer(graph.node(sqrt).input(0), op::kAdd);
  const auto sum = pattern.scalar_operation(add, op::kAdd);
  if (!sum || sum->scalar < 0) return std::nullopt;
  const ValueId square = mean_input(graph, pattern, sum->x);
  const ValueId centered = square_root(graph, pattern, square, match.nodes);
  if (centered == kNone || centered_input(graph, pattern, centered, match.nodes) != match.x) return std::nullopt;
  match.epsilon = sum->scalar;
  match.nodes.insert(match.nodes.end(), {graph.producer(sum->x), add, sqrt, id});
  return match;
}

// The one node that reads a value, with the [D] constant it joins to it; `size` is D, or -1 where it is not settled
// yet.
struct Affine {
  NodeId node = kNone;
  ValueId constant = kNone;
};

std::optional<Affine> next_affine(const Graph& graph, const Pattern& pattern, ValueId id, std::string_view op_type,
                                  int64_t size) {
  if (!graph.has_single_use(id)) return std::nullopt;
  const NodeId node = graph.consumers(id)[0];
  if (!graph.node(node).is(op_type)) return std::nullopt;
  const ValueId other = pattern.other_input(node, id);
  const Tensor* constant = graph.constant(other);
  if (constant == nullptr || constant->dtype() != DType::kFloat32 || constant->rank() != 1) return std::nullopt;
  if (size >= 0 && constant->size() != size) return std::nullopt;
  return Affine{node, other};
}

bool fuse_at(Graph& graph, Pattern& pattern, NodeId id) {
  auto match = match_normalized(graph, pattern, id);
  if (!match) return false;
  const auto& shape = pattern.type(match->x).shape;
  const int64_t known = shape && !shape->empty() && shape->back() != kUnknownDim ? shape->back() : -1;
  const auto mul = next_affine(graph, pattern, graph.node(id).outputs[0], op::kMul, known);
  if (!mul) return false;
  const int64_t size = graph.constant(mul->constant)->size();
  std::vector<ValueId> inputs = {match->x, mul->constant};
  NodeId last = mul->node;
  if (const auto add = next_affine(graph, pattern, graph.node(last).outputs[0], op::kAdd, size)) {
    match->nodes.push_back(last);
    last = add->node;
    inputs.push_back(add->constant);
  }
  if (!pattern.is_private(match->nodes, last)) return false;
  Attributes attributes;
  attributes.set("axis", int64_t{-1});
  attributes.set("epsilon", match->epsilon);
  pattern.fuse(match->nodes, last, op::kLayerNormalization, inputs, std::move(attributes));
  return true;
}

}  // namespace

int fuse_layer_norm(Graph& graph) { return fuse_everywhere(graph, fuse_at); }

}  // namespace twofold
