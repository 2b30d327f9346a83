#include "engine/watched_tensors.h"

#include <algorithm>

#include "base/error.h"
#include "engine/float_chain.h"

namespace twofold {

namespace {

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

}  // namespace

TensorReaders::TensorReaders(const Graph& graph, const std::vector<std::string>& names) {
  for (const std::string& name : names) {
    const ValueId value = graph.find_value(name);
    if (!is_there(graph, value)) throw_swallowed(name);
    readers_[name] = readers_of(graph, value);
  }
}

std::vector<TensorReaders::Reader> TensorReaders::readers_of(const Graph& graph, ValueId value) {
  std::vector<Reader> readers;
  for (NodeId id : graph.consumers(value)) {
    const Node& node = graph.node(id);
    Reader reader{node.origins, "", false, {}, {}};
    if (node.is("QuantizeLinear") || node.is("DequantizeLinear")) {
      reader.output = graph.value(node.output(0)).name;
      reader.is_graph_output = graph.is_output(node.output(0));
      reader.behind = readers_of(graph, node.output(0));
      reader.quantizer = quantized_tensor(graph, id);
    }
    readers.push_back(std::move(reader));
  }
  return readers;
}

// Whether the lowered graph reads `value` wherever the reader stood.
bool TensorReaders::reads(const Graph& lowered, const Reader& reader, ValueId value) {
  for (NodeId id : lowered.consumers(value)) {
    const std::vector<std::string>& origins = lowered.node(id).origins;
    if (std::ranges::find_first_of(origins, reader.origins) != origins.end()) return true;
  }
  if (reader.output.empty() || reader.is_graph_output || is_there(lowered, lowered.find_value(reader.output))) {
    return false;
  }
  return std::ranges::all_of(reader.behind, [&](const Reader& next) { return reads(lowered, next, value); });
}

std::map<std::string, WatchedTensor> TensorReaders::in(const Graph& lowered) const {
  std::map<std::string, WatchedTensor> result;
  for (const auto& [name, readers] : readers_) result[name] = find(lowered, name, readers);
  return result;
}

WatchedTensor TensorReaders::find(const Graph& lowered, const std::string& name, const std::vector<Reader>& readers) {
  WatchedTensor tensor;
  if (const ValueId value = lowered.find_value(name); is_there(lowered, value)) tensor.real = value;
  for (const Reader& reader : readers) {
    if (tensor.real != kNone && reads(lowered, reader, tensor.real)) continue;
    const ValueId integers = reader.quantizer ? lowered.find_value(reader.output) : kNone;
    if (!is_there(lowered, integers)) throw_swallowed(name);
    tensor.integers.push_back(*reader.quantizer);
    tensor.integers.back().integers = integers;
  }
  if (tensor.real == kNone && tensor.integers.empty()) throw_swallowed(name);
  return tensor;
}

}  // namespace twofold
