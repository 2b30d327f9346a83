#include "engine/fold_clamps.h"

#include <algorithm>
#include <limits>
#include <optional>

#include "dialect/stored_outputs.h"
#include "dialect/table_node.h"

namespace twofold {

namespace {

struct Clamp {
  int32_t low, high;
};

template <typename T>
std::optional<Clamp> read_clamp(const Tensor& table) {
  const std::span<const T> entries = table.data<T>();
  if (entries.size() != size_t{1} << (8 * sizeof(T))) return std::nullopt;
  const auto [low, high] = std::ranges::minmax(entries);
  int32_t x = std::numeric_limits<T>::min();
  for (T entry : entries) {
    if (entry != std::clamp<int32_t>(x++, low, high)) return std::nullopt;
  }
  return Clamp{low, high};
}

// The bounds between which a table leaves every integer as it is, if that is all it does.
std::optional<Clamp> read_clamp(const Tensor* table) {
  if (table == nullptr) return std::nullopt;
  switch (table->dtype()) {
    case DType::kInt8: return read_clamp<int8_t>(*table);
    case DType::kUInt8: return read_clamp<uint8_t>(*table);
    case DType::kInt16: return read_clamp<int16_t>(*table);
    case DType::kUInt16: return read_clamp<uint16_t>(*table);
    default: return std::nullopt;
  }
}

// Narrows output `output` of a node that clamps its outputs; false where it does not, or has another type.
bool narrow(Graph& graph, NodeId id, size_t output, const Clamp& clamp, DType dtype) {
  Node node = graph.node(id);
  std::vector<StoredForm> forms = stored_outputs(node);
  if (output >= forms.size() || forms[output].dtype != dtype) return false;
  forms[output].low = std::clamp(forms[output].low, clamp.low, clamp.high);
  forms[output].high = std::clamp(forms[output].high, clamp.low, clamp.high);
  set_stored_outputs(node, forms);
  graph.attributes(id) = std::move(node.attributes);
  return true;
}

bool fold(Graph& graph, NodeId id) {
  const TableNode table = TableNode::read(graph.node(id));
  const ValueId y = graph.node(id).outputs[0];
  const NodeId producer = graph.producer(table.x);
  if (producer == kNone || !graph.has_single_use(table.x)) return false;
  const Tensor* entries = graph.constant(table.table);
  const auto clamp = read_clamp(entries);
  if (!clamp) return false;
  const std::vector<ValueId>& outputs = graph.node(producer).outputs;
  const auto output = static_cast<size_t>(std::ranges::find(outputs, table.x) - outputs.begin());
  if (!narrow(graph, producer, output, *clamp, entries->dtype())) return false;
  graph.add_origins(producer, graph.node(id).origins);
  graph.remove_node(id);
  graph.set_output(producer, static_cast<int>(output), y);
  return true;
}

}  // namespace

int fold_clamps(Graph& graph) {
  int count = 0;
  for (NodeId id : graph.topological_order()) {
    if (TableNode::is(graph.node(id)) && fold(graph, id)) ++count;
  }
  return count;
}

}  // namespace twofold
