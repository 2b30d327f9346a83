#ifndef TWOFOLD_SRC_PASSES_FOLD_BIAS_H_
#define TWOFOLD_SRC_PASSES_FOLD_BIAS_H_

#include "graph/graph.h"

namespace twofold {

// Folds an addition of constants behind a Conv, ConvTranspose or Gemm into its bias:
//
//   x ─ Conv(W, b) ─ Add(c) ─ y          =>      x ─ Conv(W, b + c) ─ y
//
// c is one number, or one per output channel such as [C,1,1] (Add in either order, or Sub of c). Refuses where the
// operator's output has another use, where c could change the shape, where a result is not finite, and for MatMul,
// which has no bias (see fuse_matmul_bias). Returns the number of nodes folded.
int fold_bias(Graph& graph);

}  // namespace twofold

#endif  // TWOFOLD_SRC_PASSES_FOLD_BIAS_H_
