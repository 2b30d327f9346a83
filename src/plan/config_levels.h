// Which entries of a config apply to which node.
#ifndef TWOFOLD_SRC_PLAN_CONFIG_LEVELS_H_
#define TWOFOLD_SRC_PLAN_CONFIG_LEVELS_H_

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
};

// Keeps pointers into the config, which must outlive it.
class ConfigLevels {
 public:
  // `input_file_nodes` are names that may be gone from the graph because passes removed the nodes: naming one is an
  // unmet request. Any other name that matches nothing throws Error(kNotFound) with the three nearest names.
  ConfigLevels(const Graph& graph, const QuantConfig& config, std::span<const std::string> input_file_nodes);

  // Highest priority first: node_info, node_config, subgraph (later ones of the file first), op_config, optimization.
  const std::vector<Level>& of(NodeId node) const { return levels_[static_cast<size_t>(node)]; }
  // Requests that apply to no node, as sentences.
  const std::vector<std::string>& unmet() const { return unmet_; }

 private:
  void add(NodeId id, Level level) { levels_[static_cast<size_t>(id)].push_back(std::move(level)); }
  void add_node(const Graph& graph, const NodeNames& names, std::string_view section, const std::string& name,
                const LevelConfig& level);
  void add_op(const Graph& graph, std::string_view section, const std::string& op_type, const LevelConfig& level);

  std::vector<std::vector<Level>> levels_;  // by NodeId
  std::vector<std::string> unmet_;
};

}  // namespace twofold

#endif  // TWOFOLD_SRC_PLAN_CONFIG_LEVELS_H_
