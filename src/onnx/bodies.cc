#include "onnx/bodies.h"

#include <memory>
#include <utility>
#include <variant>

namespace twofold {

void change_bodies(Graph& graph, void (*change)(Graph&)) {
  for (NodeId id = 0; id < graph.node_limit(); ++id) {
    if (!graph.has_node(id)) continue;
    const Attributes attributes = graph.node(id).attributes;
    for (const auto& [name, attribute] : attributes) {
      const auto* body = std::get_if<std::shared_ptr<const Graph>>(&attribute);
      if (body == nullptr) continue;
      auto changed = std::make_shared<Graph>(**body);
      change(*changed);
      graph.attributes(id).set(name, std::shared_ptr<const Graph>(std::move(changed)));
    }
  }
}

}  // namespace twofold
