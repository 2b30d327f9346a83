#include "plan/node_names.h"

namespace twofold {

NodeNames::NodeNames(const Graph& graph, std::span<const std::string> input_file_nodes)
    : removed_(input_file_nodes.begin(), input_file_nodes.end()) {
  for (const NodeId id : graph.topological_order()) {
    const Node& node = graph.node(id);
    std::set<std::string> names(node.origins.begin(), node.origins.end());
    names.insert(node.name);
    for (const std::string& name : names) nodes_[name].push_back(id);
    add_bodies(node);
  }
}

std::vector<NodeId> NodeNames::find(const Graph& graph, const std::string& name) const {
  const auto it = nodes_.find(name);
  if (it == nodes_.end()) return {};
  const NodeId own = graph.find_node(name);
  return own == kNone ? it->second : std::vector<NodeId>{own};
}

std::string NodeNames::why_absent(const std::string& name) const {
  if (in_bodies_.contains(name)) return "nodes in the bodies of If, Loop and Scan stay float32";
  if (removed_.contains(name)) return "folding constants and removing what is not used left nothing of the node";
  return "";
}

std::vector<std::string> NodeNames::all() const {
  std::vector<std::string> names;
  for (const auto& [name, nodes] : nodes_) names.push_back(name);
  return names;
}

void NodeNames::add_bodies(const Node& node) {
  for (const auto& [attribute, value] : node.attributes) {
    const auto* body = std::get_if<std::shared_ptr<const Graph>>(&value);
    if (body == nullptr) continue;
    for (const NodeId id : (*body)->topological_order()) {
      in_bodies_.insert((*body)->node(id).name);
      add_bodies((*body)->node(id));
    }
  }
}

}  // namespace twofold
