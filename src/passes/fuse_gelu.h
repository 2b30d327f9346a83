#ifndef TWOFOLD_SRC_PASSES_FUSE_GELU_H_
#define TWOFOLD_SRC_PASSES_FUSE_GELU_H_

#include "graph/graph.h"

namespace twofold {

// Finds Gelu written out in simpler operators:
//
//   y = 0.5 x (1 + Erf(x / sqrt(2)))                                     =>      Gelu
//   y = 0.5 x (1 + Tanh(sqrt(2 / pi) (x + 0.044715 x^3)))                =>      Gelu(approximate = "tanh")
//
// in any order of the product's three factors; with Mul(1 / sqrt(2)) for Div; with x^3 as Pow or as two Mul; and with
// the cubic written as x (1 + 0.044715 x^2). The fused node keeps the last one's name. Refuses where a result in
// between has another use. Returns the number of patterns fused.
int fuse_gelu(Graph& graph);

}  // namespace twofold

#endif  // TWOFOLD_SRC_PASSES_FUSE_GELU_H_
