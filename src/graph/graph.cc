#include "graph/graph.h"

#include <algorithm>
#include <unordered_set>

#include "base/check.h"
#include "base/error.h"
#include "graph/unique_name.h"

namespace twofold {

ValueId Graph::add_value(std::string name, TensorType type) {
  const auto id = static_cast<ValueId>(values_.size());
  if (find_value(name) != kNone) {
    throw_error(ErrorCode::kInvalidModel, "two tensors are named '{}'; names must be unique", name);
  }
  value_names_.insert(name, id);
  values_.push_back({Value{std::move(name), std::move(type), std::nullopt}, kNone, {}});
  return id;
}

ValueId Graph::add_constant(std::string name, Tensor tensor) {
  const ValueId id = add_value(std::move(name));
  set_constant(id, std::move(tensor));
  return id;
}

std::string Graph::unique_value_name(std::string_view base) const {
  return unique_name(base, [this](std::string_view name) { return find_value(name) != kNone; });
}

std::string Graph::unique_node_name(std::string_view base) const {
  return unique_name(base, [this](std::string_view name) { return find_node(name) != kNone; });
}

void Graph::set_constant(ValueId id, Tensor tensor) {
  Value& value = values_[index(id)].value;
  std::vector<Dim> dims;
  for (int64_t dim : tensor.shape()) dims.push_back({dim, ""});
  value.type = {tensor.dtype(), std::move(dims)};
  value.constant = std::move(tensor);
}

void Graph::clear_constant(ValueId id) {
  TWOFOLD_CHECK(consumers(id).empty() && !is_output(id));
  values_[index(id)].value.constant.reset();
}

ValueId Graph::find_value(std::string_view name) const {
  return value_names_.find(name, [this](ValueId id) -> const std::string& { return value(id).name; });
}

const Tensor* Graph::constant(ValueId id) const {
  if (id == kNone || !value(id).constant) return nullptr;
  return &*value(id).constant;
}

bool Graph::is_input(ValueId id) const { return std::find(inputs.begin(), inputs.end(), id) != inputs.end(); }

bool Graph::is_output(ValueId id) const {
  return std::any_of(outputs.begin(), outputs.end(), [id](const GraphOutput& output) { return output.value == id; });
}

NodeId Graph::add_node(Node node) {
  const auto id = static_cast<NodeId>(nodes_.size());
  if (node.name.empty()) node.name = fmt::format("{}_{}", node.op_type, id);
  if (find_node(node.name) != kNone) node.name = unique_node_name(node.name);
  if (node.origins.empty()) node.origins = {node.name};
  for (auto it = node.outputs.begin(); it != node.outputs.end(); ++it) {
    if (*it == kNone) continue;
    const ValueEntry& entry = values_[index(*it)];
    if (entry.producer != kNone || entry.value.constant || std::find(node.outputs.begin(), it, *it) != it) {
      throw_error(ErrorCode::kInvalidModel, "tensor '{}' is computed twice, the second time by node '{}'",
                  entry.value.name, node.name);
    }
  }
  for (ValueId output : node.outputs) {
    if (output != kNone) values_[index(output)].producer = id;
  }
  for (ValueId input : node.inputs) {
    if (input != kNone) values_[index(input)].consumers.push_back(id);
  }
  node_names_.insert(node.name, id);
  nodes_.push_back(std::move(node));
  ++num_nodes_;
  return id;
}

void Graph::drop_use(ValueId value, NodeId node) {
  if (value == kNone) return;
  std::vector<NodeId>& consumers = values_[index(value)].consumers;
  consumers.erase(std::find(consumers.begin(), consumers.end(), node));
}

void Graph::remove_node(NodeId id) {
  const Node& removed = node(id);
  for (ValueId input : removed.inputs) drop_use(input, id);
  for (ValueId output : removed.outputs) {
    if (output != kNone) values_[index(output)].producer = kNone;
  }
  node_names_.erase(removed.name, id);
  nodes_[static_cast<size_t>(id)].reset();
  --num_nodes_;
}

NodeId Graph::find_node(std::string_view name) const {
  return node_names_.find(name, [this](NodeId id) -> const std::string& { return node(id).name; });
}

void Graph::set_op_type(NodeId id, std::string op_type, std::string domain) {
  Node& node = *nodes_[static_cast<size_t>(id)];
  node.op_type = std::move(op_type);
  node.domain = std::move(domain);
}

void Graph::add_origins(NodeId id, const std::vector<std::string>& origins) {
  std::vector<std::string>& mine = nodes_[static_cast<size_t>(id)]->origins;
  std::unordered_set<std::string> known(mine.begin(), mine.end());
  for (const std::string& origin : origins) {
    if (known.insert(origin).second) mine.push_back(origin);
  }
}

void Graph::set_input(NodeId id, int input, ValueId value) {
  std::vector<ValueId>& list = nodes_[static_cast<size_t>(id)]->inputs;
  if (input >= static_cast<int>(list.size())) list.resize(static_cast<size_t>(input) + 1, kNone);
  drop_use(list[static_cast<size_t>(input)], id);
  list[static_cast<size_t>(input)] = value;
  if (value != kNone) values_[index(value)].consumers.push_back(id);
}

void Graph::set_output(NodeId id, int output, ValueId value) {
  std::vector<ValueId>& list = nodes_[static_cast<size_t>(id)]->outputs;
  if (output >= static_cast<int>(list.size())) list.resize(static_cast<size_t>(output) + 1, kNone);
  ValueId& slot = list[static_cast<size_t>(output)];
  if (slot != kNone) values_[index(slot)].producer = kNone;
  slot = value;
  if (value == kNone) return;
  TWOFOLD_CHECK(values_[index(value)].producer == kNone && !values_[index(value)].value.constant);
  values_[index(value)].producer = id;
}

void Graph::truncate_inputs(NodeId id, int count) {
  std::vector<ValueId>& list = nodes_[static_cast<size_t>(id)]->inputs;
  while (static_cast<int>(list.size()) > count) {
    drop_use(list.back(), id);
    list.pop_back();
  }
}

void Graph::replace_uses(ValueId from, ValueId to) {
  if (from == to) return;
  const std::vector<NodeId> users = values_[index(from)].consumers;
  values_[index(from)].consumers.clear();
  for (NodeId user : users) {
    std::vector<ValueId>& list = nodes_[static_cast<size_t>(user)]->inputs;
    *std::find(list.begin(), list.end(), from) = to;
    values_[index(to)].consumers.push_back(user);
  }
  for (GraphOutput& output : outputs) {
    if (output.value == from) output.value = to;
  }
}

// Whether every node stands behind those it reads from, as in graphs that are compact.
bool Graph::is_in_order() const {
  for (NodeId id = 0; id < node_limit(); ++id) {
    if (!has_node(id)) continue;
    for (ValueId input : node(id).inputs) {
      if (input != kNone && producer(input) >= id) return false;
    }
  }
  return true;
}

std::vector<NodeId> Graph::topological_order() const {
  std::vector<NodeId> order;
  order.reserve(nodes_.size());
  if (is_in_order()) {
    for (NodeId id = 0; id < node_limit(); ++id) {
      if (has_node(id)) order.push_back(id);
    }
    return order;
  }
  std::vector<int> waiting(nodes_.size(), 0);  // inputs whose producer has not been placed yet
  std::vector<NodeId> ready;                   // a min-heap, so that insertion order wins
  for (NodeId id = 0; id < node_limit(); ++id) {
    if (!has_node(id)) continue;
    for (ValueId input : node(id).inputs) {
      if (input != kNone && producer(input) != kNone) ++waiting[static_cast<size_t>(id)];
    }
    if (waiting[static_cast<size_t>(id)] == 0) ready.push_back(id);
  }
  std::make_heap(ready.begin(), ready.end(), std::greater<>());
  while (!ready.empty()) {
    std::pop_heap(ready.begin(), ready.end(), std::greater<>());
    const NodeId id = ready.back();
    ready.pop_back();
    order.push_back(id);
    for (ValueId output : node(id).outputs) {
      if (output == kNone) continue;
      for (NodeId user : consumers(output)) {
        if (--waiting[static_cast<size_t>(user)] > 0) continue;
        ready.push_back(user);
        std::push_heap(ready.begin(), ready.end(), std::greater<>());
      }
    }
  }
  if (static_cast<int>(order.size()) == num_nodes_) return order;
  for (NodeId id = 0; id < node_limit(); ++id) {
    if (has_node(id) && waiting[static_cast<size_t>(id)] > 0) {
      throw_error(ErrorCode::kInvalidModel, "node '{}' is on a cycle or reads from one", node(id).name);
    }
  }
  return order;
}

void Graph::compact() {
  const std::vector<NodeId> order = topological_order();
  Graph result;
  result.name = std::move(name);
  result.num_captures = num_captures;
  result.metadata = std::move(metadata);
  std::vector<ValueId> renumbered(values_.size(), kNone);
  const auto keep = [&](ValueId id) {
    if (id == kNone) return kNone;
    ValueId& target = renumbered[index(id)];
    if (target == kNone) {
      Value& kept = values_[index(id)].value;
      target = result.add_value(std::move(kept.name), std::move(kept.type));
      result.values_[index(target)].value.constant = std::move(kept.constant);
    }
    return target;
  };
  for (ValueId id : inputs) result.inputs.push_back(keep(id));
  for (NodeId id : order) {
    Node& moved = *nodes_[static_cast<size_t>(id)];
    for (ValueId& input : moved.inputs) input = keep(input);
    for (ValueId& output : moved.outputs) output = keep(output);
    result.add_node(std::move(moved));
  }
  for (GraphOutput& output : outputs) result.outputs.push_back({std::move(output.name), keep(output.value)});
  *this = std::move(result);
}

}  // namespace twofold
