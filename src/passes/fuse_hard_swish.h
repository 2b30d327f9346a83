#ifndef TWOFOLD_SRC_PASSES_FUSE_HARD_SWISH_H_
#define TWOFOLD_SRC_PASSES_FUSE_HARD_SWISH_H_

#include "graph/graph.h"

namespace twofold {

// Finds HardSigmoid and HardSwish written out in simpler operators:
//
//   x ─ Add(3) ─ Clip(0, 6) ─ Div(6) ─ y                  =>      x ─ HardSigmoid(alpha = 1/6, beta = 1/2) ─ y
//
//   x ─┬─ Add(3) ─ Clip(0, 6) ─┐
//      └───────────────────── Mul ─ Div(6) ─ y           =>      x ─ HardSwish ─ y
//
//   x ─┬─ HardSigmoid(1/6, 1/2) ─┐
//      └─────────────────────── Mul ─ y                   =>      x ─ HardSwish ─ y
//
// with Mul(1/6) for Div(6), with x divided before the product, and with operands in either order. The fused node keeps
// the last one's name. Refuses where a result in between has another use. Returns the number of patterns fused.
int fuse_hard_swish(Graph& graph);

}  // namespace twofold

#endif  // TWOFOLD_SRC_PASSES_FUSE_HARD_SWISH_H_
