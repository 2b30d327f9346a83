#include "passes/complete_zero_points.h"

#include <cstring>
#include <string>

#include "infer/element_types.h"
#include "numeric/integer_limits.h"
#include "traits/op_names.h"

namespace twofold {

namespace {

bool lacks_zero_point(const Graph& graph, const Node& node) {
  return node.input(2) == kNone && graph.constant(node.input(1)) != nullptr;
}

bool complete(Graph& graph, NodeId id, DType dtype) {
  if (!is_operand_type(dtype)) return false;
  const ValueId scale = graph.node(id).input(1);
  Tensor zeros(dtype, graph.constant(scale)->shape());
  std::memset(zeros.mutable_bytes(), 0, zeros.byte_size());
  const std::string name = graph.unique_value_name(graph.value(scale).name + "_zero_point");
  graph.set_input(id, 2, graph.add_constant(name, std::move(zeros)));
  return true;
}

DType quantized_type(const Node& node) {
  const int64_t asked = node.attributes.get_int("output_dtype", 0);
  return asked == 0 ? DType::kUInt8 : static_cast<DType>(asked);
}

}  // namespace

int complete_zero_points(Graph& graph) {
  int completed = 0;
  std::vector<NodeId> dequantizers;
  for (const NodeId id : graph.topological_order()) {
    const Node& node = graph.node(id);
    if (!lacks_zero_point(graph, node)) continue;
    if (node.is(op::kDequantizeLinear)) dequantizers.push_back(id);
    if (!node.is(op::kQuantizeLinear) || !complete(graph, id, quantized_type(node))) continue;
    graph.attributes(id).erase("output_dtype");
    ++completed;
  }
  if (dequantizers.empty()) return completed;
  const std::vector<DType> types = infer_element_types(graph, Declarations::kInputs);
  for (const NodeId id : dequantizers) {
    const ValueId integers = graph.node(id).input(0);
    if (integers != kNone && complete(graph, id, types[static_cast<size_t>(integers)])) ++completed;
  }
  return completed;
}

}  // namespace twofold
