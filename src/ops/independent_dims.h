// Which operators work row by row or channel by channel, so that they can be given a few of them at a time.
#ifndef TWOFOLD_SRC_OPS_INDEPENDENT_DIMS_H_
#define TWOFOLD_SRC_OPS_INDEPENDENT_DIMS_H_

#include "graph/graph.h"

namespace twofold {

// The number of leading dimensions of which the node, on data of `rank` dimensions in plain layout, treats each slice
// by itself and alike, whatever their sizes; its output has the same leading dimensions. 0 where there are none or
// that is not known. Inputs that are not constants are data. Softmax along axis 2 of [N,H,S,S]: 2.
// Throws Error(kInvalidModel) for an axis that is out of range.
int independent_dims(const Graph& graph, const Node& node, int rank);

// Whether the node is of a type that works on rows or channels: all that have such dimensions but element-wise ones.
bool works_on_rows(const Node& node);

}  // namespace twofold

#endif  // TWOFOLD_SRC_OPS_INDEPENDENT_DIMS_H_
