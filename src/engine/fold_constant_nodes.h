#ifndef TWOFOLD_SRC_ENGINE_FOLD_CONSTANT_NODES_H_
#define TWOFOLD_SRC_ENGINE_FOLD_CONSTANT_NODES_H_

#include <string_view>

#include "graph/graph.h"
#include "ops/op.h"

namespace twofold {

// Puts constants in the place of all nodes of one type that read nothing else. Returns how many there were. Throws
// Error naming a node that cannot be computed.
int fold_constant_nodes(Graph& graph, std::string_view op_type);

// The only output of a node on constants; nullptr: an omitted input. Throws Error naming the node.
Tensor compute_constant(const Node& node, const std::vector<const Tensor*>& inputs);

}  // namespace twofold

#endif  // TWOFOLD_SRC_ENGINE_FOLD_CONSTANT_NODES_H_
