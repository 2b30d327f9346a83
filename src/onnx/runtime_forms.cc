#include "onnx/runtime_forms.h"

#include <algorithm>
#include <optional>

#include "infer/infer_types.h"
#include "onnx/bodies.h"
#include "traits/op_names.h"
#include "traits/op_traits.h"

namespace twofold {

namespace {

bool is_byte(DType dtype) { return dtype == DType::kInt8 || dtype == DType::kUInt8; }

// The scale and the zero point of a Q or DQ that has one of each for all elements, both constants.
struct Parameters {
  ValueId scale, zero_point;
};

std::optional<Parameters> one_scale(const Graph& graph, const Node& node) {
  const Parameters parameters{node.input(1), node.input(2)};
  for (const ValueId id : {parameters.scale, parameters.zero_point}) {
    const Tensor* tensor = graph.constant(id);
    if (tensor == nullptr || tensor->size() != 1 || tensor->rank() > 1) return std::nullopt;
  }
  const DType dtype = graph.constant(parameters.zero_point)->dtype();
  if (!is_byte(dtype) && dtype != DType::kInt16 && dtype != DType::kUInt16) return std::nullopt;
  return parameters;
}

// The DequantizeLinear that computes the value, or nullptr.
const Node* dequantizer(const Graph& graph, ValueId id) {
  const NodeId producer = id == kNone ? kNone : graph.producer(id);
  return producer != kNone && graph.node(producer).is(op::kDequantizeLinear) ? &graph.node(producer) : nullptr;
}

// Gives each element of its first input, and nothing of its own.
bool only_moves(const Node& node) {
  const OpTraits& traits = traits_of(node);
  return moves_integers(traits) && traits.data == DataInputs::kFirst && !traits.fills && node.input(0) != kNone;
}

// x -> Q -> DQ. Returns the value behind both, of the type of x.
ValueId add_pair(Graph& graph, ValueId x, const Parameters& parameters) {
  const std::string name = graph.value(x).name;
  const TensorType real = graph.value(x).type;
  const TensorType integers = {graph.constant(parameters.zero_point)->dtype(), real.shape};
  const ValueId q = graph.add_value(graph.unique_value_name(name + "_quantized"), integers);
  const ValueId y = graph.add_value(graph.unique_value_name(name + "_dequantized"), {DType::kFloat32, real.shape});
  const auto [scale, zero_point] = parameters;
  graph.add_node({name + "_QuantizeLinear", op::kQuantizeLinear, "", {x, scale, zero_point}, {q}, {}});
  graph.add_node({name + "_DequantizeLinear", op::kDequantizeLinear, "", {q, scale, zero_point}, {y}, {}});
  return y;
}

bool is_quantizer_of(const Graph& graph, NodeId id, ValueId x) {
  return graph.node(id).is(op::kQuantizeLinear) && graph.node(id).inputs[0] == x;
}

// Those that read x, but not to quantize it, read a new pair instead.
void quantize_again(Graph& graph, ValueId x, const Parameters& parameters) {
  const std::vector<NodeId> readers = graph.consumers(x);
  const bool all_quantize = std::ranges::all_of(readers, [&](NodeId id) { return is_quantizer_of(graph, id, x); });
  if (all_quantize && !graph.is_output(x)) return;
  const ValueId y = add_pair(graph, x, parameters);
  for (const NodeId reader : readers) {
    if (is_quantizer_of(graph, reader, x)) continue;
    for (size_t i = 0; i < graph.node(reader).inputs.size(); ++i) {
      if (graph.node(reader).inputs[i] == x) graph.set_input(reader, static_cast<int>(i), y);
    }
  }
  for (GraphOutput& output : graph.outputs) {
    if (output.value == x) output.value = y;
  }
}

// Whether the value is an output, or is one moved.
bool comes_from_output(const Graph& graph, ValueId id) {
  while (!graph.is_output(id)) {
    const NodeId producer = graph.producer(id);
    if (producer == kNone || !only_moves(graph.node(producer))) return false;
    id = graph.node(producer).inputs[0];
  }
  return true;
}

// What all readers of the value quantize it to; nothing where they differ, or something else reads it.
std::optional<Parameters> common_quantizer(const Graph& graph, ValueId id) {
  std::optional<Parameters> common;
  if (graph.is_output(id)) return common;
  for (const NodeId reader : graph.consumers(id)) {
    if (!is_quantizer_of(graph, reader, id)) return std::nullopt;
    const auto own = one_scale(graph, graph.node(reader));
    if (!own || (common && (common->scale != own->scale || common->zero_point != own->zero_point))) return std::nullopt;
    common = own;
  }
  return common;
}

void pair_moves(Graph& graph) {
  const std::vector<NodeId> order = graph.topological_order();
  for (auto it = order.rbegin(); it != order.rend(); ++it) {
    const Node& node = graph.node(*it);
    if (!only_moves(node) || num_data_outputs(node) != 1 || node.output(0) == kNone) continue;
    const ValueId x = node.inputs[0];
    const auto parameters = common_quantizer(graph, node.outputs[0]);
    if (!parameters || dequantizer(graph, x) != nullptr || !comes_from_output(graph, x)) continue;
    graph.set_input(*it, 0, add_pair(graph, x, *parameters));
  }
  for (const NodeId id : order) {
    if (!only_moves(graph.node(id))) continue;
    const Node* source = dequantizer(graph, graph.node(id).inputs[0]);
    const auto parameters = source == nullptr ? std::nullopt : one_scale(graph, *source);
    if (!parameters) continue;
    for (int i = 0; i < num_data_outputs(graph.node(id)); ++i) {
      const ValueId y = graph.node(id).output(i);
      if (y != kNone) quantize_again(graph, y, *parameters);
    }
  }
}

// The value behind a constant DequantizeLinear with one scale, or behind none, as a constant of `rank` dimensions;
// kNone where it has no fewer, or is no such value.
ValueId with_rank(Graph& graph, ValueId id, int rank) {
  const Node* source = dequantizer(graph, id);
  if (source != nullptr && !one_scale(graph, *source)) return kNone;
  const ValueId held = source != nullptr ? source->inputs[0] : id;
  const Tensor* tensor = graph.constant(held);
  if (tensor == nullptr || tensor->rank() == 0 || tensor->rank() >= rank) return kNone;
  Shape shape(static_cast<size_t>(rank - tensor->rank()), 1);
  shape.insert(shape.end(), tensor->shape().begin(), tensor->shape().end());
  const std::string name = graph.value(held).name + "_broadcast";
  const ValueId wide = graph.add_constant(graph.unique_value_name(name), tensor->reshaped(shape));
  if (source == nullptr) return wide;
  Node again = *source;
  again.inputs[0] = wide;
  again.outputs = {
      graph.add_value(graph.unique_value_name(graph.value(id).name + "_broadcast"), {DType::kFloat32, {}})};
  const ValueId result = again.outputs[0];
  graph.add_node(std::move(again));
  return result;
}

bool multiplies_bytes(const Graph& graph, const Node& node) {
  if (!node.is(op::kMatMul)) return false;
  const Node* source = dequantizer(graph, node.input(0));
  const auto parameters = source == nullptr ? std::nullopt : one_scale(graph, *source);
  return parameters && is_byte(graph.constant(parameters->zero_point)->dtype());
}

void widen_added_constants(Graph& graph) {
  const std::vector<InferredType> types = infer_types(graph);
  for (const NodeId id : graph.topological_order()) {
    if (!graph.node(id).is(op::kAdd)) continue;
    for (const int i : {0, 1}) {
      const ValueId product = graph.node(id).input(i);
      const NodeId producer = product == kNone ? kNone : graph.producer(product);
      if (producer == kNone || !multiplies_bytes(graph, graph.node(producer))) continue;
      const int rank = types[static_cast<size_t>(product)].rank();
      const ValueId wide = rank > 2 ? with_rank(graph, graph.node(id).input(1 - i), rank) : kNone;
      if (wide != kNone) graph.set_input(id, 1 - i, wide);
    }
  }
}

void set_stacks_apart(Graph& graph) {
  for (const NodeId id : graph.topological_order()) {
    if (!graph.node(id).is(op::kMatMul)) continue;
    const ValueId weight = graph.node(id).input(1);
    const Node* source = dequantizer(graph, weight);
    const Tensor* integers = source == nullptr ? nullptr : graph.constant(source->inputs[0]);
    if (integers == nullptr || integers->rank() < 3 || !is_byte(integers->dtype()) || one_scale(graph, *source)) {
      continue;
    }
    const std::string name = graph.value(weight).name + "_stack";
    const ValueId apart = graph.add_value(graph.unique_value_name(name), graph.value(weight).type);
    Node concat{name + "_Concat", op::kConcat, "", {weight}, {apart}, {}};
    concat.attributes.set("axis", int64_t{0});
    graph.add_node(std::move(concat));
    graph.set_input(id, 1, apart);
  }
}

}  // namespace

void use_runtime_forms(Graph& graph) {
  pair_moves(graph);
  widen_added_constants(graph);
  set_stacks_apart(graph);
  change_bodies(graph, use_runtime_forms);
}

}  // namespace twofold
