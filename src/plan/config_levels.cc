#include "plan/config_levels.h"

#include <algorithm>
#include <map>
#include <set>

#include "base/error.h"
#include "base/nearest_names.h"
#include "plan/node_names.h"
#include "plan/operands.h"

namespace twofold {

namespace {

[[noreturn]] void fail_unknown(std::string_view key, std::string_view what, const std::string& name,
                               const std::vector<std::string>& known) {
  throw_error(ErrorCode::kNotFound, "{}: the model has no {} '{}'; the nearest names are {}", key, what, name,
              quoted_list(nearest_names(name, known, 3)));
}

// The nodes that can be reached from `starts` along the edges (or against them), `starts` included.
std::vector<bool> reach(const Graph& graph, std::vector<NodeId> starts, bool forward) {
  std::vector<bool> seen(static_cast<size_t>(graph.node_limit()), false);
  std::vector<NodeId> open = std::move(starts);
  while (!open.empty()) {
    const NodeId id = open.back();
    open.pop_back();
    if (id == kNone || seen[static_cast<size_t>(id)]) continue;
    seen[static_cast<size_t>(id)] = true;
    const Node& node = graph.node(id);
    for (const ValueId value : forward ? node.outputs : node.inputs) {
      if (value == kNone) continue;
      if (forward) {
        open.insert(open.end(), graph.consumers(value).begin(), graph.consumers(value).end());
      } else {
        open.push_back(graph.producer(value));
      }
    }
  }
  return seen;
}

// The nodes that a subgraph's list names: nodes, or the readers (for inputs) or the writer (for outputs) of tensors.
std::vector<NodeId> ends_of_subgraph(const Graph& graph, const NodeNames& names, const std::string& key,
                                     const std::vector<std::string>& list, bool inputs) {
  std::vector<NodeId> ends;
  for (const std::string& name : list) {
    std::vector<NodeId> nodes = names.find(graph, name);
    const ValueId value = nodes.empty() ? graph.find_value(name) : kNone;
    if (value != kNone) {
      nodes = inputs ? graph.consumers(value) : std::vector<NodeId>{graph.producer(value)};
    }
    if (nodes.empty() && value == kNone) {
      std::vector<std::string> known = names.all();
      for (ValueId id = 0; id < graph.num_values(); ++id) known.push_back(graph.value(id).name);
      fail_unknown(fmt::format("{}.{}", key, inputs ? "inputs" : "outputs"), "node or tensor", name, known);
    }
    ends.insert(ends.end(), nodes.begin(), nodes.end());
  }
  return ends;
}

std::vector<NodeId> nodes_of_subgraph(const Graph& graph, const NodeNames& names, const std::string& key,
                                      const SubgraphConfig& subgraph) {
  const std::vector<NodeId> all = graph.topological_order();
  const auto ends = [&](bool inputs) {
    const std::vector<std::string>& list = inputs ? subgraph.inputs : subgraph.outputs;
    return list.empty() ? all : ends_of_subgraph(graph, names, key, list, inputs);
  };
  const std::vector<bool> after = reach(graph, ends(true), true), before = reach(graph, ends(false), false);
  std::vector<NodeId> nodes;
  std::copy_if(all.begin(), all.end(), std::back_inserter(nodes),
               [&](NodeId id) { return after[static_cast<size_t>(id)] && before[static_cast<size_t>(id)]; });
  return nodes;
}

}  // namespace

ConfigLevels::ConfigLevels(const Graph& graph, const QuantConfig& config, std::span<const std::string> input_file_nodes)
    : levels_(static_cast<size_t>(graph.node_limit())) {
  const NodeNames names(graph, input_file_nodes);
  const auto add = [this](NodeId id, Level level) { levels_[static_cast<size_t>(id)].push_back(std::move(level)); };
  // A node of the very name goes before the names of nodes that were fused into it.
  for (const bool own_name : {true, false}) {
    for (const auto& [name, level] : config.nodes) {
      const std::string key = "node_config." + name;
      const std::vector<NodeId> nodes = names.find(graph, name);
      if ((graph.find_node(name) != kNone) != own_name) continue;
      for (const NodeId id : nodes) add(id, {DecidedBy::kNode, key, &level});
      if (!nodes.empty()) continue;
      const std::string why_absent = names.why_absent(name);
      if (why_absent.empty()) fail_unknown("node_config", "node", name, names.all());
      unmet_.push_back(key + ": " + why_absent);
    }
  }
  for (auto it = config.subgraphs.rbegin(); it != config.subgraphs.rend(); ++it) {
    const std::string key = "subgraph_config." + it->first;
    const std::vector<NodeId> nodes = nodes_of_subgraph(graph, names, key, it->second);
    for (const NodeId id : nodes) add(id, {DecidedBy::kSubgraph, key, &it->second.level});
    if (nodes.empty()) unmet_.push_back(fmt::format("{}: no path leads from its inputs to its outputs", key));
  }
  std::map<std::string, std::vector<NodeId>> by_op;
  for (const NodeId id : graph.topological_order()) by_op[graph.node(id).op_type].push_back(id);
  for (const auto& [op_type, level] : config.ops) {
    const std::string key = "op_config." + op_type;
    if (const auto it = by_op.find(op_type); it != by_op.end()) {
      for (const NodeId id : it->second) add(id, {DecidedBy::kOp, key, &level});
      continue;
    }
    if (!is_quantizable_op(op_type)) {
      std::vector<std::string> known;
      for (const auto& [present, nodes] : by_op) known.push_back(present);
      fail_unknown("op_config", "operator", op_type, known);
    }
    unmet_.push_back(fmt::format("{}: the model has no {} after folding and fusing", key, op_type));
  }
}

}  // namespace twofold
