#ifndef TWOFOLD_SRC_PASSES_FOLD_SHAPE_H_
#define TWOFOLD_SRC_PASSES_FOLD_SHAPE_H_

#include "graph/graph.h"

namespace twofold {

// Puts constants in the place of shape arithmetic whose result follows from the declared input shapes:
//
//   x [?,3,32,32] ─ Shape ─ Gather(1) ─ y       =>      y = 3 (constant)
//
// Only what inference (passes/infer_types.h) proves: Shape, and Gather, Slice, Concat, Cast, Squeeze and Unsqueeze of
// its result, where every element is known. Trusts the declared shapes of the graph's inputs: whoever runs the graph
// must refuse inputs of other shapes. Returns the number of nodes replaced.
int fold_shape(Graph& graph);

}  // namespace twofold

#endif  // TWOFOLD_SRC_PASSES_FOLD_SHAPE_H_
