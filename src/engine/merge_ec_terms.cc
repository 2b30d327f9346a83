#include "engine/merge_ec_terms.h"

#include <cmath>
#include <map>

#include "dialect/ec_quantize_node.h"
#include "dialect/product_node.h"
#include "engine/quantized_edge.h"
#include "numeric/ec.h"
#include "traits/gemm_type.h"
#include "traits/op_names.h"

namespace twofold {

namespace {

bool same_attributes(const Attributes& a, const Attributes& b) {
  auto i = a.begin();
  auto j = b.begin();
  for (; i != a.end() && j != b.end(); ++i, ++j) {
    if (i->first != j->first || i->second.index() != j->second.index()) return false;
    const bool same = std::visit(
        [&](const auto& value) {
          using T = std::decay_t<decltype(value)>;
          if constexpr (std::is_same_v<T, Tensor>) {
            return false;
          } else {
            return value == std::get<T>(j->second);
          }
        },
        i->second);
    if (!same) return false;
  }
  return i == a.end() && j == b.end();
}

// Merges the terms of operands it has met before into the same value.
class EcMerger {
 public:
  explicit EcMerger(Graph& graph) : graph_(graph) {}

  // The real value 254 q1 + q2 times s1/254 as one dequantized 16-bit operand, or kNone where the two values are not
  // the digits of one.
  ValueId merged(ValueId first, ValueId second) {
    const auto known = merged_.find({first, second});
    if (known != merged_.end()) return known->second;
    const ValueId result = merge(first, second);
    if (result != kNone) merged_[{first, second}] = result;
    return result;
  }

 private:
  ValueId merge(ValueId first, ValueId second) {
    const auto edge1 = dequantized_edge(graph_, first), edge2 = dequantized_edge(graph_, second);
    if (!edge1 || !edge2 || !are_digits(*edge1, *edge2)) return kNone;
    ValueId integers = kNone;
    const Tensor* q1 = graph_.constant(edge1->integers);
    const Tensor* q2 = graph_.constant(edge2->integers);
    const std::string name = graph_.value(first).name;
    if (q1 != nullptr && q2 != nullptr && q1->shape() == q2->shape()) {
      integers = graph_.add_constant(graph_.unique_value_name(name + "_ec"), joined(*q1, *q2));
    } else if (is_split_activation(*edge1, *edge2)) {
      integers = graph_.add_value(graph_.unique_value_name(name + "_ec"), {DType::kInt16, std::nullopt});
      const NodeId quantize1 = graph_.producer(edge1->integers), quantize2 = graph_.producer(edge2->integers);
      const ValueId x = graph_.node(quantize1).input(0), scale = graph_.node(quantize1).input(1);
      Node node{.name = name + "_ec", .outputs = {integers}};
      EcQuantizeNode{x, scale}.write(node);
      const NodeId quantize = graph_.add_node(std::move(node));
      for (NodeId id : {quantize1, graph_.producer(graph_.node(quantize2).input(0)), quantize2}) {
        graph_.add_origins(quantize, graph_.node(id).origins);
      }
    } else {
      return kNone;
    }
    const ValueId real = graph_.add_value(graph_.unique_value_name(name + "_ec_real"));
    Node dequantize = graph_.node(graph_.producer(second));
    dequantize.name = name + "_ec_dequantize";
    dequantize.origins.clear();
    const ValueId zero =
        graph_.add_constant(graph_.unique_value_name(name + "_ec_zero_point"), zeros(edge2->scale.size()));
    dequantize.inputs = {integers, dequantize.input(1), zero};
    dequantize.outputs = {real};
    graph_.add_node(std::move(dequantize));
    return real;
  }

  static bool are_digits(const QuantizedEdge& first, const QuantizedEdge& second) {
    if (first.dtype != DType::kInt8 || second.dtype != DType::kInt8 || first.zero_point != 0 ||
        second.zero_point != 0 || first.axis != second.axis || first.scale.size() != second.scale.size()) {
      return false;
    }
    for (size_t i = 0; i < first.scale.size(); ++i) {
      if (ec_residual_scale(first.scale[i]) != second.scale[i]) return false;
    }
    return true;
  }

  // q1 = Q(x; s1) and q2 = Q(x - DQ(q1); s2).
  bool is_split_activation(const QuantizedEdge& first, const QuantizedEdge& second) const {
    const NodeId quantize1 = graph_.producer(first.integers), quantize2 = graph_.producer(second.integers);
    if (quantize1 == kNone || quantize2 == kNone || !graph_.node(quantize1).is(op::kQuantizeLinear) ||
        !graph_.node(quantize2).is(op::kQuantizeLinear)) {
      return false;
    }
    const NodeId subtract = graph_.producer(graph_.node(quantize2).input(0));
    if (subtract == kNone || !graph_.node(subtract).is(op::kSub)) return false;
    const auto subtracted = dequantized_edge(graph_, graph_.node(subtract).input(1));
    return subtracted && subtracted->integers == first.integers && subtracted->scale == first.scale &&
           graph_.node(subtract).input(0) == graph_.node(quantize1).input(0);
  }

  static Tensor joined(const Tensor& q1, const Tensor& q2) {
    Tensor result(DType::kInt16, q1.shape());
    ec_join(q1.data<int8_t>(), q2.data<int8_t>(), result.mutable_data<int16_t>());
    return result;
  }

  static Tensor zeros(size_t count) {
    return count == 1 ? Tensor::scalar<int16_t>(0)
                      : Tensor::from<int16_t>({static_cast<int64_t>(count)}, std::vector<int16_t>(count, 0));
  }

  Graph& graph_;
  std::map<std::pair<ValueId, ValueId>, ValueId> merged_;
};

// The bias 254 b1 + b2 of two operators whose biases are int32 constants in units s and s/254, as one in the finer unit
// (int64: the join can pass 32 bits); the first's own where the second has none; nothing where they do not fit
// together.
std::optional<ValueId> merged_bias(Graph& graph, const Node& node1, const Node& node2) {
  if (node2.input(2) == kNone) return node1.input(2);
  const auto edge1 = dequantized_edge(graph, node1.input(2)), edge2 = dequantized_edge(graph, node2.input(2));
  if (!edge1 || !edge2 || edge1->scale.size() != edge2->scale.size()) return std::nullopt;
  const Tensor* b1 = graph.constant(edge1->integers);
  const Tensor* b2 = graph.constant(edge2->integers);
  if (b1 == nullptr || b2 == nullptr || b1->dtype() != DType::kInt32 || b2->dtype() != DType::kInt32 ||
      b1->shape() != b2->shape()) {
    return std::nullopt;
  }
  for (size_t i = 0; i < edge1->scale.size(); ++i) {
    // Both are float32 roundings of products: equal to the last bits only.
    if (std::fabs(edge1->scale[i] / edge2->scale[i] - kEcBase) > 1e-3F) return std::nullopt;
  }
  Tensor joined(DType::kInt64, b1->shape());
  for (int64_t i = 0; i < joined.size(); ++i) {
    const auto c = static_cast<size_t>(i);
    joined.mutable_data<int64_t>()[c] = int64_t{kEcBase} * b1->data<int32_t>()[c] + b2->data<int32_t>()[c];
  }
  const std::string name = graph.value(node1.input(2)).name + "_ec";
  const ValueId integers = graph.add_constant(graph.unique_value_name(name), std::move(joined));
  const ValueId real = graph.add_value(graph.unique_value_name(name + "_real"));
  Node dequantize = graph.node(graph.producer(node2.input(2)));
  dequantize.name = name;
  dequantize.origins.clear();
  dequantize.inputs[0] = integers;
  dequantize.outputs = {real};
  graph.add_node(std::move(dequantize));
  return real;
}

// Merges op(..first..) + op(..second..) at Add node `sum` if they differ in the digit of one operand only.
bool merge_sum(Graph& graph, EcMerger& merger, NodeId sum, bool in_two_passes) {
  const ValueId results[] = {graph.node(sum).input(0), graph.node(sum).input(1)};
  for (ValueId result : results) {
    if (result == kNone || graph.producer(result) == kNone || !graph.has_single_use(result)) return false;
  }
  const NodeId first = graph.producer(results[0]), second = graph.producer(results[1]);
  const Node node1 = graph.node(first), node2 = graph.node(second);
  if (first == second || !is_gemm_type(node1) || node1.op_type != node2.op_type ||
      !same_attributes(node1.attributes, node2.attributes)) {
    return false;
  }
  int operand = -1;
  if (node1.input(0) == node2.input(0)) operand = 1;
  if (node1.input(1) == node2.input(1)) operand = 0;
  if (operand < 0) return false;
  const ValueId merged = merger.merged(node1.input(operand), node2.input(operand));
  if (merged == kNone) return false;
  const std::optional<ValueId> bias = merged_bias(graph, node1, node2);
  if (!bias) return false;
  graph.set_input(first, operand, merged);
  if (in_two_passes) mark_ec(graph.attributes(first), operand);
  if (*bias != node1.input(2)) graph.set_input(first, 2, *bias);
  graph.add_origins(first, graph.node(second).origins);
  graph.add_origins(first, graph.node(sum).origins);
  const ValueId result = graph.node(sum).output(0);
  graph.remove_node(sum);
  graph.remove_node(second);
  graph.set_output(first, 0, result);
  return true;
}

}  // namespace

int merge_ec_terms(Graph& graph, bool in_two_passes) {
  EcMerger merger(graph);
  int count = 0;
  for (NodeId id : graph.topological_order()) {
    if (graph.node(id).is(op::kAdd) && merge_sum(graph, merger, id, in_two_passes)) ++count;
  }
  return count;
}

}  // namespace twofold
