#ifndef TWOFOLD_SRC_PASSES_FUSE_LAYER_NORM_H_
#define TWOFOLD_SRC_PASSES_FUSE_LAYER_NORM_H_

#include "graph/graph.h"

namespace twofold {

// Finds LayerNormalization over the last axis written out in simpler operators:
//
//   x ─┬──────────── Sub ─ d ─┬─ Pow(2) ─ ReduceMean ─ Add(epsilon) ─ Sqrt ─┐
//      └─ ReduceMean ─┘       └──────────────────────────────────────────── Div ─ Mul(gamma) ─ Add(beta) ─ y
//
//   =>      x ─ LayerNormalization(gamma, beta, axis = -1, epsilon) ─ y
//
// with Mul(d, d) for the Pow, two Sub of the same operands, and no Add(beta). gamma and beta are float32 constants [D].
// The fused node keeps the last one's name. Refuses where the axis is not provably the last one, where D contradicts
// what is known of x, and where a result in between has another use. Returns the number of patterns fused.
int fuse_layer_norm(Graph& graph);

}  // namespace twofold

#endif  // TWOFOLD_SRC_PASSES_FUSE_LAYER_NORM_H_
