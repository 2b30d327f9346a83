#ifndef TWOFOLD_SRC_PASSES_SPLIT_EC_H_
#define TWOFOLD_SRC_PASSES_SPLIT_EC_H_

#include <string>
#include <vector>

#include "graph/graph.h"

namespace twofold {

// Writes out what an error-compensated (ec) weight does, on a float model: the named Conv, ConvTranspose, MatMul or
// Gemm becomes two identical operators and an Add, so that any int8 tool quantizes its weight to 16 bits in two int8
// terms.
//
//   x ─ op(W, b) ─ y          =>      x ─┬─ op(W1, b) ──┐
//   name                                 │  name       Add ─ y
//                                        └─ op(W2) ─────┘  name_sum
//                                           name_residual
//
//   W1 = s1 q1 with q1 = round(W / s1) and s1 = max|W| / 127 per output channel (1 where the channel is 0): what int8
//   keeps; W2 = W - W1: its error, at most s1 / 2, which int8 keeps in steps of s1 / 254 (docs/numerics.md, rule 3).
//
// W1 + W2 is W to float rounding, so the model computes the same. A weight that other nodes read is copied.
// Throws Error(kNotFound) for a name that no node has, with the nearest ones; Error(kUnsupported) for other operators
// and for weights that are not constant float32; Error(kInvalidModel) for weights with NaN or infinity. Nothing changes
// then.
void split_ec(Graph& graph, const std::vector<std::string>& nodes);

}  // namespace twofold

#endif  // TWOFOLD_SRC_PASSES_SPLIT_EC_H_
