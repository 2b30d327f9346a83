// Which entries of a config apply to which node.
#ifndef TWOFOLD_SRC_PLAN_CONFIG_LEVELS_H_
#define TWOFOLD_SRC_PLAN_CONFIG_LEVELS_H_

#include <map>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "graph/graph.h"
#include "plan/node_names.h"
#include "plan/plan.h"

namespace twofold {

// One entry of node_info, node_config, subgraph_config, op_config or optimization.
struct Level {
  DecidedBy decided_by;
  std::string key;  // "node_config.Conv_1"
  const LevelConfig* config;
  bool is_pattern = false;  // names nodes by a pattern

  bool names_one_node() const { return decided_by == DecidedBy::kNode && !is_pattern; }
};

// Keeps pointers into the config, which must outlive it.
class ConfigLevels {
 public:
  // `input_file_nodes` are names that may be gone from the graph because passes removed the nodes: naming one is an
  // unmet request. Any other name or pattern that matches nothing throws Error(kNotFound) with its place in the file
  // and the three nearest names.
  ConfigLevels(const Graph& graph, const QuantConfig& config, std::span<const std::string> input_file_nodes);

  // Highest priority first: node_info, node_config (a node's name, then patterns, the longer one first), subgraph
  // (later ones of the file first), op_config, optimization.
  const std::vector<Level>& of(NodeId node) const { return levels_[static_cast<size_t>(node)]; }
  // Requests that apply to no node, as sentences.
  const std::vector<std::string>& unmet() const { return unmet_; }

 private:
  using NodesByOp = std::map<std::string, std::vector<NodeId>>;

  struct Request {
    const Graph& graph;
    const QuantConfig& config;
    const NodeNames& names;
    std::span<const std::string> input_file_nodes;
  };

  // A part of the config that says something of nodes or operators by their names.
  struct Section {
    std::string_view name;
    const std::map<std::string, LevelConfig>& levels;

    std::string key(const std::string& entry) const { return std::string(name) + "." + entry; }
  };

  void add(NodeId id, Level level) { levels_[static_cast<size_t>(id)].push_back(std::move(level)); }
  void add_nodes(const Request& request, const Section& section);
  void add_patterns(const Request& request, const Section& section);
  void add_subgraphs(const Request& request);
  void add_ops(const QuantConfig& config, const NodesByOp& by_op, const Section& section);

  std::vector<std::vector<Level>> levels_;  // by NodeId
  std::vector<std::string> unmet_;
};

}  // namespace twofold

#endif  // TWOFOLD_SRC_PLAN_CONFIG_LEVELS_H_
