#ifndef TWOFOLD_SRC_PASSES_FUSE_SIGMOID_H_
#define TWOFOLD_SRC_PASSES_FUSE_SIGMOID_H_

#include "graph/graph.h"

namespace twofold {

// Finds Sigmoid written out in simpler operators:
//
//   1 / (1 + Exp(-x))        =>      Sigmoid(x)
//   a / (1 + Exp(-x))        =>      a * Sigmoid(x)      (Swish, with x for a)
//
// with Reciprocal for the division of 1, with Mul(-1) for Neg, and with the sum in either order. A 1 that might raise
// the rank of x is an a. The last node keeps its name, and the Add becomes the Sigmoid of a product. Refuses where a
// result in between has another use. Returns the number of patterns fused.
int fuse_sigmoid(Graph& graph);

}  // namespace twofold

#endif  // TWOFOLD_SRC_PASSES_FUSE_SIGMOID_H_
