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
// in these spellings, with operands in any order:
//
//   square       Pow(d, 2), Mul(d, d); two Sub of the same operands
//   variance     ReduceMean(d^2), ReduceMean(x^2) - ReduceMean(x)^2; Max(0, it), Relu
//   division     Div by Sqrt or Pow(1/2); Mul by its Reciprocal, by 1 / it, or by Pow(-1/2); that one times gamma first
//   gamma, beta  float32 constants [D]; neither, or no beta. Where D is known and there is no gamma, it is ones.
//
// The fused node keeps the last one's name. Refuses where the axis is not provably the last one, where D contradicts
// what is known of x, and where a result in between has another use. Returns the number of patterns fused.
int fuse_layer_norm(Graph& graph);

}  // namespace twofold

#endif  // TWOFOLD_SRC_PASSES_FUSE_LAYER_NORM_H_
