#include "debug/local_errors.h"

#include <algorithm>

#include "engine/executor.h"
#include "engine/lower.h"
#include "infer/element_types.h"
#include "loops/layout.h"
#include "quantize/compare.h"

namespace twofold {

namespace {

// Whether the unit has already made these integers where the tensor is computed.
bool is_made_before(const Graph& graph, const std::vector<OperandQuantization>& unit,
                    const OperandQuantization& operand) {
  if (!operand.operand.is_input()) return false;
  const ValueId value = graph.node(operand.node).input(operand.operand.index);
  return std::ranges::any_of(unit, [&](const OperandQuantization& other) {
    return other.operand.is_output && graph.node(other.node).output(other.operand.index) == value &&
           other.params == operand.params;
  });
}

// A graph of one node, whose inputs are the activations that it reads, and whose outputs are all of its results.
class NodeAlone {
 public:
  NodeAlone(const Graph& whole, NodeId id, const SampleValues& values) : whole_(whole), values_(values) {
    Node node = whole.node(id);
    for (ValueId& input : node.inputs) input = import(input);
    for (ValueId& output : node.outputs) {
      if (output == kNone) continue;
      results.push_back(output);
      output = graph.add_value(whole.value(output).name, {values.at(output).dtype(), std::nullopt});
      graph.outputs.push_back({graph.value(output).name, output});
    }
    node_ = graph.add_node(std::move(node));
  }

  NodeId node() const { return node_; }

  Graph graph;
  std::vector<Tensor> inputs;
  std::vector<ValueId> results;  // in the whole graph, in the order of the outputs

 private:
  ValueId import(ValueId id) {
    if (id == kNone) return kNone;
    const auto [entry, inserted] = imported_.try_emplace(id, kNone);
    if (!inserted) return entry->second;
    const Value& value = whole_.value(id);
    if (value.constant) return entry->second = graph.add_constant(value.name, *value.constant);
    const Tensor& tensor = values_.at(id);
    std::vector<Dim> shape;
    for (const int64_t dim : tensor.shape()) shape.push_back({dim, ""});
    entry->second = graph.add_value(value.name, {tensor.dtype(), std::move(shape)});
    graph.inputs.push_back(entry->second);
    inputs.push_back(tensor);
    return entry->second;
  }

  const Graph& whole_;
  const SampleValues& values_;
  NodeId node_ = kNone;
  std::map<ValueId, ValueId> imported_;
};

Tensor difference(const Tensor& quantized, const Tensor& real) {
  const Tensor minuend = as_float(to_layout(quantized, real.layout())), subtrahend = as_float(real);
  Tensor result(DType::kFloat32, real.shape(), real.layout());
  const std::span<const float> a = minuend.data<float>(), b = subtrahend.data<float>();
  const std::span<float> out = result.mutable_data<float>();
  for (size_t i = 0; i < out.size(); ++i) out[i] = a[i] - b[i];
  return result;
}

}  // namespace

std::vector<UnitNode> unit_nodes(const Graph& graph, const std::vector<std::vector<OperandQuantization>>& units) {
  std::vector<UnitNode> nodes;
  for (size_t unit = 0; unit < units.size(); ++unit) {
    std::map<NodeId, UnitNode> of_unit;
    for (const OperandQuantization& operand : units[unit]) {
      if (is_made_before(graph, units[unit], operand)) continue;
      UnitNode& node = of_unit[operand.node];
      node.operands.push_back(operand);
    }
    for (auto& [id, node] : of_unit) nodes.push_back({unit, id, std::move(node.operands)});
  }
  return nodes;
}

std::vector<LocalError> local_errors(const Graph& graph, const UnitNode& quantized, const SampleValues& values,
                                     WeightCache& weights) {
  NodeAlone alone(graph, quantized.node, values);
  std::vector<OperandQuantization> operands = quantized.operands;
  for (OperandQuantization& operand : operands) operand.node = alone.node();
  apply_quantization(alone.graph, operands, weights);
  lower(alone.graph);
  const std::vector<Tensor> outputs = Executor(alone.graph, {.threads = 1, .watched = {}}).run(alone.inputs);
  std::vector<LocalError> errors;
  for (size_t i = 0; i < outputs.size(); ++i) {
    const Tensor& real = values.at(alone.results[i]);
    if (!is_float(real.dtype())) continue;
    errors.push_back({quantized.unit, alone.results[i], difference(outputs[i], real)});
  }
  return errors;
}

}  // namespace twofold
