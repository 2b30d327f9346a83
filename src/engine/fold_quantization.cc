#include <algorithm>

#include "base/cancellation.h"
#include "base/error.h"
#include "dialect/registry.h"
#include "engine/lower.h"

namespace twofold {

namespace {

// The constants that a node reads; empty where one is none.
std::vector<const Tensor*> constant_inputs(const Graph& graph, const Node& node) {
  std::vector<const Tensor*> inputs;
  for (ValueId input : node.inputs) {
    inputs.push_back(input == kNone ? nullptr : graph.constant(input));
    if (input != kNone && inputs.back() == nullptr) return {};
  }
  return inputs;
}

Tensor compute(const Node& node, const std::vector<const Tensor*>& inputs) {
  Tensor outputs[1];
  OpCall call(node, inputs, outputs, nullptr);
  try {
    make_kernel({node, inputs, nullptr})->run(call);
  } catch (const Error& error) {
    throw_error(error.code(), "node '{}' ({}): {}", node.name, node.op_type, error.what());
  }
  return std::move(outputs[0]);
}

int fold_constants_of(Graph& graph, std::string_view op_type) {
  int count = 0;
  for (NodeId id : graph.topological_order()) {
    if (!graph.node(id).is(op_type)) continue;
    const std::vector<const Tensor*> inputs = constant_inputs(graph, graph.node(id));
    if (inputs.empty()) continue;
    throw_if_cancelled();
    Tensor result = compute(graph.node(id), inputs);
    const ValueId output = graph.node(id).output(0);
    graph.remove_node(id);
    graph.set_constant(output, std::move(result));
    ++count;
  }
  return count;
}

// Transpose(DQ(constant)) => DQ(constant'), with the axis of the scales where it is then.
bool transpose_constant(Graph& graph, NodeId id) {
  const Node transpose = graph.node(id);
  const NodeId producer = graph.producer(transpose.input(0));
  if (producer == kNone || !graph.node(producer).is("DequantizeLinear")) return false;
  Node dequantize = graph.node(producer);
  const Tensor* integers = graph.constant(dequantize.input(0));
  const Tensor* scale = graph.constant(dequantize.input(1));
  if (integers == nullptr || scale == nullptr || dequantize.attributes.get_int("block_size", 0) != 0) return false;
  const int rank = integers->rank();
  std::vector<int64_t> perm = transpose.attributes.get_ints("perm", {});
  for (int i = rank - 1; perm.size() < static_cast<size_t>(rank); --i) perm.push_back(i);
  if (scale->rank() == 1 && scale->size() > 1) {
    int64_t axis = dequantize.attributes.get_int("axis", 1);
    if (axis < 0) axis += rank;
    const auto moved = std::ranges::find(perm, axis);
    if (moved == perm.end()) return false;
    dequantize.attributes.set("axis", static_cast<int64_t>(moved - perm.begin()));
  }
  const std::string name = graph.unique_value_name(graph.value(transpose.output(0)).name + "_integers");
  dequantize.inputs[0] = graph.add_constant(name, compute(transpose, {integers}));
  dequantize.outputs = {transpose.output(0)};
  dequantize.name = graph.unique_node_name(transpose.name + "_dequantize");
  graph.remove_node(id);
  graph.add_node(std::move(dequantize));
  return true;
}

}  // namespace

int fold_quantized_constants(Graph& graph) {
  int count = fold_constants_of(graph, "QuantizeLinear");
  for (NodeId id : graph.topological_order()) {
    if (graph.node(id).is("Transpose") && transpose_constant(graph, id)) ++count;
  }
  return count;
}

int fold_dequantized_constants(Graph& graph) { return fold_constants_of(graph, "DequantizeLinear"); }

}  // namespace twofold
