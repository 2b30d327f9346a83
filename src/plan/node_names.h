// Nodes by the names that users know them by.
#ifndef TWOFOLD_SRC_PLAN_NODE_NAMES_H_
#define TWOFOLD_SRC_PLAN_NODE_NAMES_H_

#include <map>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "graph/graph.h"

namespace twofold {

// Finds nodes by their name or by the name of any node that was fused into them.
class NodeNames {
 public:
  // `input_file_nodes` are names that may be gone from the graph because passes removed the nodes.
  explicit NodeNames(const Graph& graph, std::span<const std::string> input_file_nodes = {});

  // Nodes called `name`; a node of that very name comes before nodes that it was fused into. Of the graph given.
  std::vector<NodeId> find(const Graph& graph, const std::string& name) const;
  // Why the graph has no such node although the file has; empty if the file has none either.
  std::string why_absent(const std::string& name) const;
  std::vector<std::string> all() const;

 private:
  void add_bodies(const Node& node);

  std::map<std::string, std::vector<NodeId>> nodes_;
  std::set<std::string> removed_;
  std::set<std::string> in_bodies_;
};

}  // namespace twofold

#endif  // TWOFOLD_SRC_PLAN_NODE_NAMES_H_
