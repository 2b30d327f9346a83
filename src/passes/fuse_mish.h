#ifndef TWOFOLD_SRC_PASSES_FUSE_MISH_H_
#define TWOFOLD_SRC_PASSES_FUSE_MISH_H_

#include "graph/graph.h"

namespace twofold {

// Finds Softplus and Mish written out in simpler operators:
//
//   x ─ Exp ─ Add(1) ─ Log ─ y                  =>      x ─ Softplus ─ y
//
//   x ─┬─ Softplus ─ Tanh ─┐
//      └──────────────── Mul ─ y                =>      x ─ Mish ─ y
//
// The fused node keeps the last one's name, and does not overflow where Exp did. Refuses where a result in between has
// another use. Returns the number of patterns fused.
int fuse_mish(Graph& graph);

}  // namespace twofold

#endif  // TWOFOLD_SRC_PASSES_FUSE_MISH_H_
