#include "engine/held_tensors.h"

#include <algorithm>

#include "base/error.h"
#include "dialect/domain.h"
#include "dialect/ec_quantize_node.h"
#include "engine/float_chain.h"
#include "engine/sink_dequantize.h"
#include "traits/gemm_type.h"
#include "traits/op_names.h"
#include "traits/recurrent.h"

namespace twofold {

namespace {

constexpr const char* kHold = "Hold";

[[noreturn]] void throw_swallowed(const std::string& name) {
  throw_error(
      ErrorCode::kInvalidArgument,
      "tensor '{}' cannot be watched: in the model that runs it is inside a fused operator, or folded away; watch "
      "a tensor before or behind it",
      name);
}

// Whether the value is an input of the graph, or a node computes it.
bool is_there(const Graph& graph, ValueId id) {
  return id != kNone && (graph.producer(id) != kNone || graph.is_input(id));
}

// Names of the nodes that have become EcQuantize nodes, which read past what those compute.
std::set<std::string> nodes_of_digits(const Graph& graph) {
  std::set<std::string> names;
  for (NodeId id : graph.topological_order()) {
    const Node& node = graph.node(id);
    if (node.is(EcQuantizeNode::kOpType, kDialect)) names.insert(node.origins.begin(), node.origins.end());
  }
  return names;
}

// Whether one of these nodes computes the value, or the integers that it is dequantized from.
bool computed_by(const Graph& graph, ValueId id, const std::set<std::string>& nodes) {
  NodeId producer = graph.producer(id);
  if (producer != kNone && graph.node(producer).is(op::kDequantizeLinear)) {
    producer = graph.producer(graph.node(producer).inputs[0]);
  }
  return producer != kNone && std::ranges::any_of(graph.node(producer).origins,
                                                  [&](const std::string& name) { return nodes.contains(name); });
}

// Whether lowering may find integers behind a float value: a DequantizeLinear, or moved numbers from one.
bool is_dequantized(const Graph& graph, ValueId id) {
  const NodeId producer = id == kNone ? kNone : graph.producer(id);
  if (producer == kNone) return false;
  const Node& node = graph.node(producer);
  if (node.is(op::kDequantizeLinear)) return true;
  if (!moves_elements(node)) return false;
  if (!node.is(op::kConcat)) return is_dequantized(graph, node.input(0));
  return std::ranges::all_of(node.inputs, [&](ValueId input) { return is_dequantized(graph, input); });
}

// Whether an integer product reads the float value, or numbers moved from it. `seen`: values looked at.
bool feeds_integer_product(const Graph& graph, ValueId id, std::set<ValueId>& seen) {
  if (id == kNone || !seen.insert(id).second) return false;
  return std::ranges::any_of(graph.consumers(id), [&](NodeId reader) {
    const Node& node = graph.node(reader);
    if (is_gemm_type(node) || is_recurrent(node)) {
      return is_dequantized(graph, node.input(0)) && is_dequantized(graph, node.input(1));
    }
    return moves_elements(node) && std::ranges::any_of(node.outputs, [&](ValueId output) {
             return feeds_integer_product(graph, output, seen);
           });
  });
}

// Of a value that is held as it is; kUndefined where that is not known.
DType dtype_of(const Graph& graph, ValueId id) {
  const auto quantizer = quantized_edge(graph, graph.producer(id));
  return quantizer ? quantizer->dtype : graph.value(id).type.dtype;
}

}  // namespace

ValueId quantized_constant(const Graph& graph, const std::string& name) {
  if (graph.find_value(name) != kNone) return kNone;
  const ValueId integers = graph.find_value(name + "_quantized");
  return graph.constant(integers) != nullptr ? integers : kNone;
}

HeldTensors::HeldTensors(const std::vector<std::string>& names) {
  for (const std::string& name : names) tensors_[name];
}

int HeldTensors::hold(Graph& graph) {
  if (tensors_.empty()) return 0;
  const std::set<std::string> digits = nodes_of_digits(graph);
  for (auto& [name, held] : tensors_) hold_tensor(graph, name, digits, held);
  return static_cast<int>(holds_.size());
}

bool HeldTensors::hold_constant(Graph& graph, const std::string& name, Held& held) {
  const ValueId integers = quantized_constant(graph, name);
  if (integers == kNone || graph.consumers(integers).empty()) return false;
  const auto edge = dequantized_tensor(graph, graph.node(graph.consumers(integers)[0]).output(0));
  if (!edge) return false;  // a scale per channel, or no integers that operators compute with
  held.forms.push_back({hold_value(graph, integers, edge->dtype, {}), {*edge, 0}});
  return true;
}

void HeldTensors::hold_tensor(Graph& graph, const std::string& name, const std::set<std::string>& digits, Held& held) {
  if (hold_constant(graph, name, held)) return;
  const ValueId id = graph.find_value(name);
  if (!is_there(graph, id) || computed_by(graph, id, digits)) throw_swallowed(name);
  held.is_input = graph.is_input(id);  // whatever runs reads it
  if (held.is_input) return;
  std::set<NodeId> quantizers;
  bool needs_real = graph.is_output(id);
  const std::vector<NodeId> readers = graph.consumers(id);
  for (NodeId reader : readers) {
    const auto form = integer_form(graph, reader);
    if (form) {
      quantizers.insert(reader);
      held.forms.push_back({hold_value(graph, form->edge.integers, form->edge.dtype, {}), *form});
    }
    // The node that holds it already, as the integers of another tensor, is no reader but stands for all.
    needs_real = needs_real || !form;
  }
  if (!needs_real) return;
  std::set<ValueId> seen;
  if (feeds_integer_product(graph, id, seen)) throw_swallowed(name);
  held.real = hold_value(graph, id, dtype_of(graph, id), quantizers);
}

NodeId HeldTensors::hold_value(Graph& graph, ValueId value, DType dtype, const std::set<NodeId>& past) {
  if (const auto known = holds_.find(value); known != holds_.end()) return known->second;
  const std::string name = graph.value(value).name;
  const ValueId held = graph.add_value(graph.unique_value_name(name + "_held"), {dtype, std::nullopt});
  const std::vector<NodeId> readers = graph.consumers(value);
  for (NodeId reader : readers) {
    if (past.contains(reader)) continue;
    for (size_t i = 0; i < graph.node(reader).inputs.size(); ++i) {
      if (graph.node(reader).inputs[i] == value) graph.set_input(reader, static_cast<int>(i), held);
    }
  }
  for (GraphOutput& output : graph.outputs) {
    if (output.value == value) output.value = held;
  }
  return holds_[value] = graph.add_node({name + "_hold", kHold, std::string(kDialect), {value}, {held}, {}});
}

int HeldTensors::release(Graph& graph) {
  int count = 0;
  for (NodeId id : graph.topological_order()) {
    if (!graph.node(id).is(kHold, kDialect)) continue;
    ++count;
    const ValueId value = graph.node(id).inputs[0], held = graph.node(id).outputs[0];
    if (graph.has_single_use(value) && graph.constant(value) == nullptr) {
      graph.remove_node(id);
      graph.replace_uses(held, value);
      released_[id] = graph.value(value).name;
    } else {
      graph.set_op_type(id, op::kIdentity);
      released_[id] = graph.value(held).name;
    }
  }
  return count;
}

ValueId HeldTensors::released(const Graph& lowered, NodeId hold) const {
  const auto it = released_.find(hold);
  return it == released_.end() ? kNone : lowered.find_value(it->second);
}

std::map<std::string, WatchedTensor> HeldTensors::in(const Graph& lowered) const {
  std::map<std::string, WatchedTensor> result;
  for (const auto& [name, held] : tensors_) {
    WatchedTensor& tensor = result[name];
    for (const HeldForm& form : held.forms) {
      const ValueId integers = released(lowered, form.hold);
      if (integers == kNone) continue;
      tensor.integers.push_back(form.form);
      tensor.integers.back().edge.integers = integers;
    }
    tensor.real = held.real == kNone ? kNone : released(lowered, held.real);
    if (!held.is_input && tensor.real == kNone && tensor.integers.empty()) throw_swallowed(name);
    // Also where only the nodes that quantize it read it, which are those of its integers.
    const ValueId value = lowered.find_value(name);
    if (tensor.real == kNone && is_there(lowered, value)) tensor.real = value;
  }
  return result;
}

}  // namespace twofold
