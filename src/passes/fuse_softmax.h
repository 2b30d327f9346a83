#ifndef TWOFOLD_SRC_PASSES_FUSE_SOFTMAX_H_
#define TWOFOLD_SRC_PASSES_FUSE_SOFTMAX_H_

#include "graph/graph.h"

namespace twofold {

// Finds Softmax over one axis written out in simpler operators:
//
//   x ─┬──────────── Sub ─ Exp ─┬────────────── Div ─ y      =>      x ─ Softmax(axis) ─ y
//      └─ ReduceMax ─┘          └─ ReduceSum ─┘
//
// with Mul by the Reciprocal of the sum for the Div, with Max(constant, the largest) behind ReduceMax where the
// constant is -infinity, and without the subtraction: Softmax, which subtracts, then also gives numbers where Exp
// overflows. Refuses where the axes differ or the reductions do not keep them, and where a result in between has
// another use. Returns the number of patterns fused.
int fuse_softmax(Graph& graph);

}  // namespace twofold

#endif  // TWOFOLD_SRC_PASSES_FUSE_SOFTMAX_H_
