#include "passes/remove_dead_nodes.h"

#include <algorithm>

namespace twofold {

int remove_dead_nodes(Graph& graph) {
  int removed = 0;
  std::vector<NodeId> order = graph.topological_order();
  std::reverse(order.begin(), order.end());
  for (NodeId id : order) {
    const std::vector<ValueId>& outputs = graph.node(id).outputs;
    const bool used = std::any_of(outputs.begin(), outputs.end(), [&graph](ValueId output) {
      return output != kNone && (!graph.consumers(output).empty() || graph.is_output(output));
    });
    if (used) continue;
    graph.remove_node(id);
    ++removed;
  }
  return removed;
}

}  // namespace twofold
