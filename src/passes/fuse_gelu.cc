#include "passes/fuse_gelu.h"

#include <cmath>
#include <numbers>

#include "passes/pattern.h"
#include "traits/op_names.h"

namespace twofold {

namespace {

const double kSqrt2OverPi = std::sqrt(2.0 / std::numbers::pi);
constexpr double kCubic = 0.044715;

// Looks for an expression of one known x, from its last value down to x, and collects the nodes it passes.
class Matcher {
 public:
  Matcher(const Graph& graph, const Pattern& pattern, ValueId x) : graph_(graph), pattern_(pattern), x_(x) {}

  std::vector<NodeId>& nodes() { return nodes_; }

  // 1 + Erf(x / sqrt(2)).
  bool is_erf_factor(ValueId id) {
    const ValueId scaled = step(step_scalar(id, op::kAdd, 1.0), op::kErf);
    return step_scalar(scaled, op::kDiv, std::numbers::sqrt2) == x_ ||
           step_scalar(scaled, op::kMul, 1 / std::numbers::sqrt2) == x_;
  }

  // 1 + Tanh(sqrt(2 / pi) (x + 0.044715 x^3)).
  bool is_tanh_factor(ValueId id) {
    const ValueId argument = step(step_scalar(id, op::kAdd, 1.0), op::kTanh);
    const ValueId polynomial = step_scalar(argument, op::kMul, kSqrt2OverPi);
    return polynomial != kNone ? is_polynomial(polynomial) : is_scaled_polynomial(argument);
  }

 private:
  // The input of a node of one input, or of one input and a scalar; kNone where it is another.
  ValueId step(ValueId id, std::string_view op_type) {
    const NodeId node = pattern_.producer(id, op_type);
    if (node == kNone) return kNone;
    nodes_.push_back(node);
    return graph_.node(node).input(0);
  }
  ValueId step_scalar(ValueId id, std::string_view op_type, double scalar) {
    const ValueId x = pattern_.undo(id, op_type, scalar);
    if (x != kNone) nodes_.push_back(graph_.producer(id));
    return x;
  }
  // Of a node op(a, b): `test` on one input where the other one is `one`.
  template <typename Test>
  bool step_pair(ValueId id, std::string_view op_type, ValueId one, Test test) {
    const NodeId node = pattern_.producer(id, op_type);
    const ValueId other = node == kNone ? kNone : pattern_.other_input(node, one);
    if (other == kNone) return false;
    nodes_.push_back(node);
    return test(other);
  }

  // x + 0.044715 x^3, or x (1 + 0.044715 x^2).
  bool is_polynomial(ValueId id) {
    const auto is_cubic = [this](ValueId term) { return is_cube(step_scalar(term, op::kMul, kCubic)); };
    const auto is_quadratic = [this](ValueId term) { return is_square_term(step_scalar(term, op::kAdd, 1.0)); };
    return step_pair(id, op::kAdd, x_, is_cubic) || step_pair(id, op::kMul, x_, is_quadratic);
  }
  // (sqrt(2 / pi) x) (1 + 0.044715 x^2).
  bool is_scaled_polynomial(ValueId id) {
    const NodeId product = pattern_.producer(id, op::kMul);
    if (product == kNone) return false;
    for (ValueId factor : graph_.node(product).inputs) {
      const std::vector<NodeId> saved = nodes_;
      nodes_.push_back(product);
      const ValueId other = pattern_.other_input(product, factor);
      if (step_scalar(factor, op::kMul, kSqrt2OverPi) == x_ && is_square_term(step_scalar(other, op::kAdd, 1.0))) {
        return true;
      }
      nodes_ = saved;
    }
    return false;
  }
  // 0.044715 x^2 as Mul(0.044715 x^2), or Mul(0.044715 x, x).
  bool is_square_term(ValueId id) {
    if (const ValueId square = step_scalar(id, op::kMul, kCubic); square != kNone) return is_square(square);
    return step_pair(id, op::kMul, x_, [this](ValueId term) { return step_scalar(term, op::kMul, kCubic) == x_; });
  }
  bool is_square(ValueId id) {
    if (step_scalar(id, op::kPow, 2.0) == x_) return true;
    const NodeId mul = pattern_.producer(id, op::kMul);
    if (mul == kNone || graph_.node(mul).inputs != std::vector<ValueId>{x_, x_}) return false;
    nodes_.push_back(mul);
    return true;
  }
  bool is_cube(ValueId id) {
    return step_scalar(id, op::kPow, 3.0) == x_ ||
           step_pair(id, op::kMul, x_, [this](ValueId square) { return is_square(square); });
  }

  const Graph& graph_;
  const Pattern& pattern_;
  ValueId x_;
  std::vector<NodeId> nodes_;
};

// Two factors of a product of three whose third is 0.5, and the node inside that takes part in it.
struct HalfProduct {
  ValueId a = kNone, b = kNone;
  NodeId inner = kNone;
};

std::vector<HalfProduct> half_products(const Graph& graph, const Pattern& pattern, NodeId last) {
  std::vector<HalfProduct> products;
  if (!graph.node(last).is(op::kMul) || graph.node(last).inputs.size() != 2) return products;
  if (const auto half = pattern.scalar_operation(last, op::kMul); half && half->scalar == 0.5F) {
    if (const NodeId inner = pattern.producer(half->x, op::kMul);
        inner != kNone && graph.node(inner).inputs.size() == 2) {
      products.push_back({graph.node(inner).inputs[0], graph.node(inner).inputs[1], inner});
    }
  }
  for (ValueId factor : graph.node(last).inputs) {
    const ValueId x = pattern.undo(factor, op::kMul, 0.5);
    const ValueId other = pattern.other_input(last, factor);
    if (x != kNone && other != kNone) products.push_back({x, other, graph.producer(factor)});
  }
  return products;
}

bool fuse_at(Graph& graph, Pattern& pattern, NodeId last) {
  for (const HalfProduct& product : half_products(graph, pattern, last)) {
    for (const auto& [x, factor] : {std::pair(product.a, product.b), std::pair(product.b, product.a)}) {
      if (x == kNone || factor == kNone) continue;
      for (const bool tanh : {false, true}) {
        Matcher matcher(graph, pattern, x);
        if (!(tanh ? matcher.is_tanh_factor(factor) : matcher.is_erf_factor(factor))) continue;
        matcher.nodes().push_back(product.inner);
        if (!pattern.is_private(matcher.nodes(), last)) continue;
        Attributes attributes;
        if (tanh) attributes.set("approximate", std::string("tanh"));
        pattern.fuse(matcher.nodes(), last, op::kGelu, {x}, std::move(attributes));
        return true;
      }
    }
  }
  return false;
}

}  // namespace

int fuse_gelu(Graph& graph) { return fuse_everywhere(graph, fuse_at); }

}  // namespace twofold
