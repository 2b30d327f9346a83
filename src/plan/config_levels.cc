#include "plan/config_levels.h"

#include <algorithm>
#include <map>
#include <set>
#include <string_view>
#include <utility>

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
  using Section = std::pair<std::string_view, const std::map<std::string, LevelConfig>*>;
  const NodeNames names(graph, input_file_nodes);
  // A node of the very name goes before the names of nodes that were fused into it.
  for (const auto& [section, of_nodes] : {Section{"node_info", &config.node_info}, {"node_config", &config.nodes}}) {
    for (const bool own_name : {true, false}) {
      for (const auto& [name, level] : *of_nodes) {
        if ((graph.find_node(name) != kNone) == own_name) add_node(graph, names, section, name, level);
      }
    }
  }
  for (auto it = config.subgraphs.rbegin(); it != config.subgraphs.rend(); ++it) {
    const std::string key = "subgraph_config." + it->first;
    const std::vector<NodeId> nodes = nodes_of_subgraph(graph, names, key, it->second);
    for (const NodeId id : nodes) add(id, {DecidedBy::kSubgraph, key, &it->second.level});
    if (nodes.empty()) unmet_.push_back(fmt::format("{}: no path leads from its inputs to its outputs", key));
  }
  for (const auto& [section, of_ops] : {Section{"op_config", &config.ops}, {"optimization", &config.optimizations}}) {
    for (const auto& [op_type, level] : *of_ops) add_op(graph, section, op_type, level);
  }
}

void ConfigLevels::add_node(const Graph& graph, const NodeNames& names, std::string_view section,
                            const std::string& name, const LevelConfig& level) {
  const std::string key = fmt::format("{}.{}", section, name);
  const std::vector<NodeId> nodes = names.find(graph, name);
  for (const NodeId id : nodes) add(id, {DecidedBy::kNode, key, &level});
  if (!nodes.empty()) return;
  const std::string why_absent = names.why_absent(name);
  if (why_absent.empty()) fail_unknown(section, "node", name, names.all());
  unmet_.push_back(key + ": " + why_absent);
}

void ConfigLevels::add_op(const Graph& graph, std::string_view section, const std::string& op_type,
                          const LevelConfig& level) {
  const std::string key = fmt::format("{}.{}", section, op_type);
  std::set<std::string> present;
  for (const NodeId id : graph.topological_order()) {
    present.insert(graph.node(id).op_type);
    if (graph.node(id).op_type == op_type) add(id, {DecidedBy::kOp, key, &level});
  }
  if (present.contains(op_type)) return;
  if (!is_quantizable_op(op_type)) fail_unknown(section, "operator", op_type, {present.begin(), present.end()});
  unmet_.push_back(fmt::format("{}: the model has no {} after folding and fusing", key, op_type));
}

}  // namespace twofold
