#include "passes/fuse_layer_norm.h"

#include <algorithm>

#include "passes/pattern.h"
#include "traits/op_names.h"

namespace twofold {

namespace {

// Matches the pattern from its last operator up to x, and collects the nodes it passes, each once.
class Matcher {
 public:
  Matcher(const Graph& graph, const Pattern& pattern) : graph_(graph), pattern_(pattern) {}

  // (x - mean) / sqrt(variance + epsilon), gamma taken in where it stands before the product, at the node.
  bool match_normalized(NodeId id) {
    const Node& node = graph_.node(id);
    if (node.inputs.size() != 2) return false;
    if (node.is(op::kDiv)) return match(node.inputs[0], [&] { return is_deviation(node.inputs[1]); });
    if (!node.is(op::kMul)) return false;
    for (const int centered : {0, 1}) {
      if (match(node.input(centered), [&] { return is_gain(node.input(1 - centered)); })) return true;
    }
    return false;
  }

  ValueId x() const { return x_; }
  ValueId gamma() const { return gamma_; }
  float epsilon() const { return epsilon_; }
  std::vector<NodeId>& nodes() { return nodes_; }

 private:
  template <typename Test>
  bool match(ValueId centered, const Test& test) {
    nodes_.clear();
    gamma_ = kNone;
    x_ = centered_input(centered);
    return x_ != kNone && test();
  }
  void pass(NodeId node) {
    if (std::ranges::find(nodes_, node) == nodes_.end()) nodes_.push_back(node);
  }

  // 1 / sqrt(variance + epsilon), or gamma times that.
  bool is_gain(ValueId id) {
    const NodeId mul = pattern_.producer(id, op::kMul);
    if (mul != kNone && graph_.node(mul).inputs.size() == 2) {
      for (const int at : {0, 1}) {
        const ValueId constant = graph_.node(mul).input(at);
        if (graph_.constant(constant) == nullptr || !is_inverse(graph_.node(mul).input(1 - at))) continue;
        pass(mul);
        gamma_ = constant;
        return true;
      }
    }
    return is_inverse(id);
  }
  bool is_inverse(ValueId id) {
    const NodeId reciprocal = pattern_.producer(id, op::kReciprocal);
    if (reciprocal != kNone) return is_deviation(graph_.node(reciprocal).input(0)) && passed(reciprocal);
    const NodeId div = pattern_.producer(id, op::kDiv);
    if (div != kNone && scalar_constant(graph_, graph_.node(div).input(0)) == 1.0F) {
      return is_deviation(graph_.node(div).input(1)) && passed(div);
    }
    const ValueId sum = pattern_.undo(id, op::kPow, -0.5);
    return sum != kNone && is_sum(sum) && passed(graph_.producer(id));
  }
  // sqrt(variance + epsilon).
  bool is_deviation(ValueId id) {
    const NodeId sqrt = pattern_.producer(id, op::kSqrt);
    const ValueId sum = sqrt != kNone ? graph_.node(sqrt).input(0) : pattern_.undo(id, op::kPow, 0.5);
    return sum != kNone && is_sum(sum) && passed(graph_.producer(id));
  }
  bool is_sum(ValueId id) {
    const NodeId add = pattern_.producer(id, op::kAdd);
    const auto sum = pattern_.scalar_operation(add, op::kAdd);
    if (!sum || sum->scalar < 0 || !is_clamped_variance(sum->x)) return false;
    epsilon_ = sum->scalar;
    return passed(add);
  }
  bool is_clamped_variance(ValueId id) {
    if (const NodeId relu = pattern_.producer(id, op::kRelu); relu != kNone) {
      return is_variance(graph_.node(relu).input(0)) && passed(relu);
    }
    const NodeId max = pattern_.producer(id, op::kMax);
    if (max == kNone || graph_.node(max).inputs.size() != 2) return is_variance(id);
    for (const int at : {0, 1}) {
      if (scalar_constant(graph_, graph_.node(max).input(at)) != 0.0F) continue;
      return is_variance(graph_.node(max).input(1 - at)) && passed(max);
    }
    return false;
  }
  // mean((x - mean(x))^2), or mean(x^2) - mean(x)^2.
  bool is_variance(ValueId id) {
    const NodeId sub = pattern_.producer(id, op::kSub);
    if (sub != kNone && graph_.node(sub).inputs.size() == 2) {
      const ValueId mean = square_root(graph_.node(sub).inputs[1]);
      return mean != kNone && mean_input(mean) == x_ && square_root(mean_input(graph_.node(sub).inputs[0])) == x_ &&
             passed(sub);
    }
    const ValueId centered = square_root(mean_input(id));
    return centered != kNone && centered_input(centered) == x_;
  }
  bool passed(NodeId node) {
    pass(node);
    return true;
  }

  // The input of a ReduceMean over the last axis that keeps it; kNone otherwise.
  ValueId mean_input(ValueId id) {
    const auto mean = pattern_.reduction(id, op::kReduceMean);
    if (!mean) return kNone;
    const int rank = pattern_.type(mean->x).rank();
    if (mean->axis != (rank > 0 ? rank - 1 : -1)) return kNone;
    pass(mean->node);
    return mean->x;
  }
  // x where `id` is x - mean(x).
  ValueId centered_input(ValueId id) {
    const NodeId sub = pattern_.producer(id, op::kSub);
    if (sub == kNone || graph_.node(sub).input(1) == kNone) return kNone;
    const ValueId x = graph_.node(sub).inputs[0];
    if (x == kNone || mean_input(graph_.node(sub).inputs[1]) != x) return kNone;
    pass(sub);
    return x;
  }
  // The value whose square is `id`.
  ValueId square_root(ValueId id) {
    ValueId root = pattern_.undo(id, op::kPow, 2.0);
    if (root == kNone) {
      const NodeId mul = pattern_.producer(id, op::kMul);
      const bool squares = mul != kNone && graph_.node(mul).inputs.size() == 2 &&
                           graph_.node(mul).inputs[0] == graph_.node(mul).inputs[1];
      if (squares) root = graph_.node(mul).inputs[0];
    }
    if (root != kNone) pass(graph_.producer(id));
    return root;
  }

  const Graph& graph_;
  const Pattern& pattern_;
  ValueId x_ = kNone, gamma_ = kNone;
  float epsilon_ = 0;
  std::vector<NodeId> nodes_;
};

// Whether the value is a float32 constant [D]; any D where `size` is -1.
bool is_vector(const Graph& graph, ValueId id, int64_t size) {
  const Tensor* constant = graph.constant(id);
  return constant != nullptr && constant->dtype() == DType::kFloat32 && constant->rank() == 1 &&
         (size < 0 || constant->size() == size);
}

// The one node that reads a value, with the [D] constant it joins to it; kNone where there is no such node.
struct Affine {
  NodeId node = kNone;
  ValueId constant = kNone;
};

Affine next_affine(const Graph& graph, const Pattern& pattern, ValueId id, std::string_view op_type, int64_t size) {
  if (!graph.has_single_use(id)) return {};
  const NodeId node = graph.consumers(id)[0];
  if (!graph.node(node).is(op_type)) return {};
  const ValueId other = pattern.other_input(node, id);
  return is_vector(graph, other, size) ? Affine{node, other} : Affine{};
}

// D where it is known of x; -1 elsewhere.
int64_t known_size(const Pattern& pattern, ValueId x) {
  const auto& shape = pattern.type(x).shape;
  return shape && !shape->empty() && shape->back() != kUnknownDim ? shape->back() : -1;
}

ValueId ones(Graph& graph, int64_t size, const std::string& name) {
  Tensor tensor(DType::kFloat32, {size});
  std::ranges::fill(tensor.mutable_data<float>(), 1.0F);
  return graph.add_constant(graph.unique_value_name(name + "_gamma"), std::move(tensor));
}

bool fuse_at(Graph& graph, Pattern& pattern, NodeId id) {
  Matcher matcher(graph, pattern);
  if (!matcher.match_normalized(id)) return false;
  int64_t size = known_size(pattern, matcher.x());
  ValueId gamma = matcher.gamma();
  if (gamma != kNone && !is_vector(graph, gamma, size)) return false;
  std::vector<NodeId> nodes = matcher.nodes();
  NodeId last = id;
  const auto extend = [&](std::string_view op_type) -> ValueId {
    const Affine affine = next_affine(graph, pattern, graph.node(last).outputs[0], op_type, size);
    if (affine.node == kNone) return kNone;
    nodes.push_back(last);
    last = affine.node;
    return affine.constant;
  };
  if (gamma == kNone) gamma = extend(op::kMul);
  if (gamma != kNone) size = graph.constant(gamma)->size();
  const ValueId beta = extend(op::kAdd);
  if (gamma == kNone && beta != kNone) size = graph.constant(beta)->size();
  if (size < 0 || !pattern.is_private(nodes, last)) return false;
  std::vector<ValueId> inputs = {matcher.x(), gamma == kNone ? ones(graph, size, graph.node(last).name) : gamma};
  if (beta != kNone) inputs.push_back(beta);
  Attributes attributes;
  attributes.set("axis", int64_t{-1});
  attributes.set("epsilon", matcher.epsilon());
  pattern.fuse(nodes, last, op::kLayerNormalization, inputs, std::move(attributes));
  return true;
}

}  // namespace

int fuse_layer_norm(Graph& graph) { return fuse_everywhere(graph, fuse_at); }

}  // namespace twofold
