#include "quantize/graph_parts.h"

#include <algorithm>

#include "base/check.h"
#include "infer/infer_types.h"
#include "traits/op_traits.h"

namespace twofold {

namespace {

size_t at(int32_t id) { return static_cast<size_t>(id); }

// What inference knows, as an input declares it.
TensorType declared(const InferredType& type) {
  TensorType result{type.dtype, std::nullopt};
  if (!type.shape) return result;
  result.shape.emplace();
  for (const int64_t dim : *type.shape) result.shape->push_back({dim == kUnknownDim ? -1 : dim, ""});
  return result;
}

// Whether the nodes' ids are their order.
bool is_numbered_in_order(const Graph& graph) {
  const std::vector<NodeId> order = graph.topological_order();
  for (size_t i = 0; i < order.size(); ++i) {
    if (order[i] != static_cast<NodeId>(i)) return false;
  }
  return true;
}

// Whether lowering may take the node into one that quantizes what comes out.
bool can_be_wrapped(const Node& node) {
  const Effect effect = traits_of(node).effect;
  return effect != Effect::kProducts && effect != Effect::kOtherProducts;
}

// By NodeId: the first node of the longest chain that could be wrapped up to it.
std::vector<NodeId> chain_begins(const Graph& graph) {
  std::vector<NodeId> begins(at(graph.node_limit()));
  for (NodeId node = 0; node < graph.node_limit(); ++node) {
    begins[at(node)] = node;
    for (const ValueId input : graph.node(node).inputs) {
      const NodeId before = input == kNone ? kNone : graph.producer(input);
      if (before == kNone || !graph.has_single_use(input) || !can_be_wrapped(graph.node(before))) continue;
      begins[at(node)] = std::min(begins[at(node)], begins[at(before)]);
    }
  }
  return begins;
}

// By ValueId: the id of the last node that reads it, the number of nodes for an output, -1 where nothing does.
std::vector<NodeId> last_readers(const Graph& graph) {
  std::vector<NodeId> last(at(graph.num_values()), -1);
  for (NodeId node = 0; node < graph.node_limit(); ++node) {
    for (const ValueId input : graph.node(node).inputs) {
      if (input != kNone) last[at(input)] = node;
    }
  }
  for (const GraphOutput& output : graph.outputs) last[at(output.value)] = graph.node_limit();
  return last;
}

}  // namespace

GraphParts::GraphParts(const Graph& graph, std::vector<std::optional<ContentHash>> keys)
    : graph_(graph), keys_(std::move(keys)), cuts_(at(graph.node_limit()), 0) {
  TWOFOLD_CHECK(keys_.size() == at(graph.num_values()));
  if (!is_numbered_in_order(graph)) return;
  chain_begins_ = chain_begins(graph);
  const std::vector<InferredType> types = infer_types(graph);
  const std::vector<NodeId> last = last_readers(graph);
  // By cut: by how many more values of each sort cross it than cross the one before.
  std::vector<int> all(at(graph.node_limit()) + 2, 0), hidden = all, of_any_size = all;
  types_.resize(types.size());
  for (ValueId id = 0; id < graph.num_values(); ++id) {
    if (graph.constant(id) != nullptr || last[at(id)] < 0) continue;
    const bool is_input = graph.producer(id) == kNone;
    const InferredType& type = types[at(id)];
    types_[at(id)] = is_input ? graph.value(id).type : declared(type);
    const auto count = [&](std::vector<int>& sort) {
      ++sort[at(graph.producer(id) + 1)];
      --sort[at(last[at(id)] + 1)];
    };
    count(all);
    if (!keys_[at(id)] || (!is_input && type.dtype != DType::kFloat32)) count(hidden);
    if (!type.is_static()) count(of_any_size);
  }
  NodeId last_open = -1;
  for (NodeId node = 0; node < graph.node_limit(); ++node) {
    for (const ValueId output : graph.node(node).outputs) {
      if (output != kNone && !types[at(output)].is_static()) last_open = node;
    }
  }
  int crossing = 0, without = 0, open = 0;
  for (NodeId cut = 0; cut < graph.node_limit(); ++cut) {
    crossing += all[at(cut)];
    without += hidden[at(cut)];
    open += of_any_size[at(cut)];
    const bool is_possible = without == 0 && (crossing == 1 || (crossing > 1 && open == 0 && cut > last_open));
    cuts_[at(cut)] = is_possible ? cut : cut > 0 ? cuts_[at(cut - 1)] : 0;
  }
}

std::optional<GraphParts::Part> GraphParts::of(const std::vector<OperandQuantization>& operands) const {
  if (chain_begins_.empty() || operands.empty()) return std::nullopt;
  NodeId first = graph_.node_limit();
  for (const OperandQuantization& operand : operands) {
    const Node& node = graph_.node(operand.node);
    const ValueId value =
        operand.operand.is_output ? node.output(operand.operand.index) : node.input(operand.operand.index);
    const NodeId producer = graph_.producer(value);
    first = std::min(first, operand.node);
    if (producer != kNone && can_be_wrapped(graph_.node(producer)))
      first = std::min(first, chain_begins_[at(producer)]);
  }
  return from(first);
}

std::optional<GraphParts::Part> GraphParts::from(NodeId first) const {
  const NodeId cut = cuts_[at(first)];
  if (cut == 0) return std::nullopt;
  Part part;
  part.first = cut;
  std::vector<ValueId> renumbered(at(graph_.num_values()), kNone);
  const auto take = [&](ValueId id) {
    if (id == kNone || renumbered[at(id)] != kNone) return id == kNone ? kNone : renumbered[at(id)];
    const Value& value = graph_.value(id);
    if (value.constant) return renumbered[at(id)] = part.graph.add_constant(value.name, *value.constant);
    const bool crosses = graph_.producer(id) < cut;
    const ValueId taken = part.graph.add_value(value.name, crosses ? types_[at(id)] : value.type);
    if (crosses) {
      part.graph.inputs.push_back(taken);
      part.inputs.push_back(*keys_[at(id)]);
    }
    return renumbered[at(id)] = taken;
  };
  for (NodeId id = cut; id < graph_.node_limit(); ++id) {
    Node node = graph_.node(id);
    for (ValueId& input : node.inputs) input = take(input);
    for (ValueId& output : node.outputs) output = take(output);
    part.graph.add_node(std::move(node));
  }
  for (const GraphOutput& output : graph_.outputs) part.graph.outputs.push_back({output.name, take(output.value)});
  return part;
}

}  // namespace twofold
