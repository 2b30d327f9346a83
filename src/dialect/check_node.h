// Checks of nodes of the dialect, while they are read. All throw Error(kInvalidModel).
#ifndef TWOFOLD_SRC_DIALECT_CHECK_NODE_H_
#define TWOFOLD_SRC_DIALECT_CHECK_NODE_H_

#include <cstddef>

#include "graph/graph.h"

namespace twofold {

// Unless the node has `least` to `most` inputs.
void check_inputs(const Node& node, size_t least, size_t most);

// If one of the inputs from `first` up to `last` is omitted. REQUIRES: the node has so many.
void check_given(const Node& node, size_t first, size_t last);

// Unless the node has `count` outputs.
void check_outputs(const Node& node, size_t count);

}  // namespace twofold

#endif  // TWOFOLD_SRC_DIALECT_CHECK_NODE_H_
