#ifndef TWOFOLD_SRC_ENGINE_NEAREST_RESIZE_H_
#define TWOFOLD_SRC_ENGINE_NEAREST_RESIZE_H_

#include "graph/graph.h"

namespace twofold {

// Whether the node is a Resize that copies elements. One that crops does not: positions outside the input take a number
// of its own.
bool is_nearest_resize(const Node& node);

}  // namespace twofold

#endif  // TWOFOLD_SRC_ENGINE_NEAREST_RESIZE_H_
