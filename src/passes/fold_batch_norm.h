#ifndef TWOFOLD_SRC_PASSES_FOLD_BATCH_NORM_H_
#define TWOFOLD_SRC_PASSES_FOLD_BATCH_NORM_H_

#include "graph/graph.h"

namespace twofold {

// Folds BatchNormalization into the Conv, ConvTranspose or Gemm before it:
//
//   x ─ Conv(W, b) ─ BatchNormalization(gamma, beta, mean, var) ─ y      =>      x ─ Conv(W', b') ─ y
//
//   s = gamma / sqrt(var + epsilon)        W' = s W        b' = s (b - mean) + beta
//
// per output channel, in double. The bias is made where there is none; a weight that other nodes share is copied.
// Refuses where the Conv's output has another use, where any of the parameters is not a float32 constant, in training
// mode, where a result is not finite, and where the weight would underflow. Returns the number of BatchNormalizations
// folded.
int fold_batch_norm(Graph& graph);

}  // namespace twofold

#endif  // TWOFOLD_SRC_PASSES_FOLD_BATCH_NORM_H_
