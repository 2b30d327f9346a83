#include "plan/epilogues.h"

#include "traits/gemm_type.h"
#include "traits/op_traits.h"

namespace twofold {

std::vector<bool> find_epilogues(const Graph& graph, const Target& target) {
  std::vector<bool> found(static_cast<size_t>(graph.node_limit()), false);
  for (const NodeId id : graph.topological_order()) {
    const Node& node = graph.node(id);
    if (!target.epilogues.contains(node.op_type)) continue;
    std::vector<int> tensors = data_inputs(node);
    std::erase_if(tensors, [&](int i) { return graph.constant(node.input(i)) != nullptr; });
    if (tensors.size() != 1 || !graph.has_single_use(node.input(tensors[0]))) continue;
    const NodeId source = graph.producer(node.input(tensors[0]));
    found[static_cast<size_t>(id)] =
        source != kNone && (is_gemm_type(graph.node(source).op_type) || found[static_cast<size_t>(source)]);
  }
  return found;
}

}  // namespace twofold
