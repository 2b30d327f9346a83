#include "passes/canonicalize_clip.h"

#include <limits>

#include "passes/pattern.h"
#include "traits/op_names.h"

namespace twofold {

int canonicalize_clip(Graph& graph) {
  int rewritten = 0;
  for (NodeId id : graph.topological_order()) {
    const Node& node = graph.node(id);
    if (!node.is(op::kClip) || scalar_constant(graph, node.input(1)) != 0.0F) continue;
    if (node.input(2) != kNone) {
      const auto high = scalar_constant(graph, node.input(2));
      if (!high || *high < std::numeric_limits<float>::max()) continue;
    }
    graph.truncate_inputs(id, 1);
    graph.set_op_type(id, op::kRelu);
    ++rewritten;
  }
  return rewritten;
}

}  // namespace twofold
