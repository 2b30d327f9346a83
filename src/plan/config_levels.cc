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

// "config.yaml:12: " of an entry, where the config was read from a text.
std::string place_of(const QuantConfig& config, const std::string& entry) {
  const auto it = config.places.find(entry);
  return it == config.places.end() ? "" : it->second + ": ";
}

[[noreturn]] void fail_unknown(const std::string& place, std::string_view key, std::string_view what,
                               const std::string& name, const std::vector<std::string>& known) {
  throw_error(ErrorCode::kNotFound, "{}{}: the model has no {} '{}'; the nearest names are {}", place, key, what, name,
              quoted_list(nearest_names(name, known, 3)));
}

bool is_pattern(std::string_view name) { return name.find('*') != std::string_view::npos; }

// Whether the whole name is as the pattern says, in which '*' stands for any characters, '/' among them, or none.
// Linear in the product of the lengths.
bool matches(std::string_view pattern, std::string_view name) {
  size_t p = 0, n = 0, star = std::string_view::npos, resume = 0;
  while (n < name.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      resume = n;
    } else if (p < pattern.size() && pattern[p] == name[n]) {
      ++p;
      ++n;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      n = ++resume;
    } else {
      return false;
    }
  }
  return pattern.find_first_not_of('*', p) == std::string_view::npos;
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
                                     const std::string& place, const std::vector<std::string>& list, bool inputs) {
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
      fail_unknown(place, fmt::format("{}.{}", key, inputs ? "inputs" : "outputs"), "node or tensor", name, known);
    }
    ends.insert(ends.end(), nodes.begin(), nodes.end());
  }
  return ends;
}

std::vector<NodeId> nodes_of_subgraph(const Graph& graph, const NodeNames& names, const std::string& key,
                                      const std::string& place, const SubgraphConfig& subgraph) {
  const std::vector<NodeId> all = graph.topological_order();
  const auto ends = [&](bool inputs) {
    const std::vector<std::string>& list = inputs ? subgraph.inputs : subgraph.outputs;
    return list.empty() ? all : ends_of_subgraph(graph, names, key, place, list, inputs);
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
  NodesByOp by_op;
  for (const NodeId id : graph.topological_order()) by_op[graph.node(id).op_type].push_back(id);
  const Request request{graph, config, names, input_file_nodes};
  for (const Section& section : {Section{"node_info", config.node_info}, {"node_config", config.nodes}}) {
    add_nodes(request, section);
    add_patterns(request, section);
  }
  add_subgraphs(request);
  for (const Section& section : {Section{"op_config", config.ops}, {"optimization", config.optimizations}}) {
    add_ops(config, by_op, section);
  }
}

void ConfigLevels::add_nodes(const Request& request, const Section& section) {
  const auto& [graph, config, names, input_file_nodes] = request;
  // A node of the very name goes before the names of nodes that were fused into it.
  for (const bool own_name : {true, false}) {
    for (const auto& [name, level] : section.levels) {
      const std::string key = section.key(name);
      const std::vector<NodeId> nodes = names.find(graph, name);
      if (nodes.empty() && is_pattern(name)) continue;
      if ((graph.find_node(name) != kNone) != own_name) continue;
      for (const NodeId id : nodes) add(id, {DecidedBy::kNode, key, &level});
      if (!nodes.empty()) continue;
      const std::string why_absent = names.why_absent(name);
      if (why_absent.empty()) fail_unknown(place_of(config, key), section.name, "node", name, names.all());
      unmet_.push_back(key + ": " + why_absent);
    }
  }
}

// The longer a pattern, the more it says of its nodes.
void ConfigLevels::add_patterns(const Request& request, const Section& section) {
  const auto& [graph, config, names, input_file_nodes] = request;
  if (std::ranges::none_of(section.levels, is_pattern, [](const auto& entry) { return entry.first; })) return;
  const std::vector<std::string> known = names.all();
  std::vector<std::pair<std::string, const LevelConfig*>> patterns;
  for (const auto& [name, level] : section.levels) {
    if (is_pattern(name) && std::ranges::find(known, name) == known.end()) patterns.emplace_back(name, &level);
  }
  std::ranges::stable_sort(patterns, [](const auto& a, const auto& b) { return a.first.size() > b.first.size(); });
  for (const auto& [pattern, level] : patterns) {
    const std::string key = section.key(pattern);
    std::set<NodeId> nodes;
    for (const std::string& name : known) {
      if (!matches(pattern, name)) continue;
      for (const NodeId id : names.find(graph, name)) nodes.insert(id);
    }
    for (const NodeId id : nodes) add(id, {DecidedBy::kNode, key, level, true});
    if (!nodes.empty()) continue;
    const auto is_meant = [&pattern = pattern](const std::string& name) { return matches(pattern, name); };
    if (std::ranges::none_of(input_file_nodes, is_meant)) {
      throw_error(ErrorCode::kNotFound,
                  "{}{}: no node has a name of the pattern '{}', in which * stands for any characters; the nearest "
                  "names are {}",
                  place_of(config, key), section.name, pattern, quoted_list(nearest_names(pattern, known, 3)));
    }
    unmet_.push_back(key + ": folding constants and removing what is not used left nothing of these nodes");
  }
}

void ConfigLevels::add_subgraphs(const Request& request) {
  const auto& [graph, config, names, input_file_nodes] = request;
  for (auto it = config.subgraphs.rbegin(); it != config.subgraphs.rend(); ++it) {
    const std::string key = "subgraph_config." + it->first;
    const std::vector<NodeId> nodes = nodes_of_subgraph(graph, names, key, place_of(config, key), it->second);
    for (const NodeId id : nodes) add(id, {DecidedBy::kSubgraph, key, &it->second.level});
    if (nodes.empty()) unmet_.push_back(fmt::format("{}: no path leads from its inputs to its outputs", key));
  }
}

void ConfigLevels::add_ops(const QuantConfig& config, const NodesByOp& by_op, const Section& section) {
  for (const auto& [op_type, level] : section.levels) {
    const std::string key = section.key(op_type);
    if (const auto it = by_op.find(op_type); it != by_op.end()) {
      for (const NodeId id : it->second) add(id, {DecidedBy::kOp, key, &level});
      continue;
    }
    if (!is_quantizable_op(op_type)) {
      std::vector<std::string> known;
      for (const auto& [present, nodes] : by_op) known.push_back(present);
      fail_unknown(place_of(config, key), section.name, "operator", op_type, known);
    }
    unmet_.push_back(fmt::format("{}: the model has no {} after folding and fusing", key, op_type));
  }
}

}  // namespace twofold
