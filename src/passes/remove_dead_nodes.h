#ifndef TWOFOLD_SRC_PASSES_REMOVE_DEAD_NODES_H_
#define TWOFOLD_SRC_PASSES_REMOVE_DEAD_NODES_H_

#include "graph/graph.h"

namespace twofold {

// Removes every node that no output of the graph depends on, and the constants that only they read.
//
//   x ─┬─ Relu ─ y (output)          =>      x ─ Relu ─ y (output)
//      └─ Sigmoid ─ z (unused)
//
// Operators have no side effects, so this never refuses. Returns the number of nodes removed.
int remove_dead_nodes(Graph& graph);

}  // namespace twofold

#endif  // TWOFOLD_SRC_PASSES_REMOVE_DEAD_NODES_H_
