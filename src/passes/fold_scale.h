#ifndef TWOFOLD_SRC_PASSES_FOLD_SCALE_H_
#define TWOFOLD_SRC_PASSES_FOLD_SCALE_H_

#include "graph/graph.h"

namespace twofold {

// Folds a multiplication by constants behind a Conv, ConvTranspose, Gemm or MatMul into its weight and bias:
//
//   x ─ Conv(W, b) ─ Mul(s) ─ y          =>      x ─ Conv(s W, s b) ─ y
//
// s is one number, or one per output channel (Mul in either order, or Div by s). Refuses where the operator's output
// has another use, where s could change the shape, where a result is not finite, and where the weight would underflow.
// Returns the number of nodes folded.
int fold_scale(Graph& graph);

}  // namespace twofold

#endif  // TWOFOLD_SRC_PASSES_FOLD_SCALE_H_
