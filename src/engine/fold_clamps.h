#ifndef TWOFOLD_SRC_ENGINE_FOLD_CLAMPS_H_
#define TWOFOLD_SRC_ENGINE_FOLD_CLAMPS_H_

#include "graph/graph.h"

namespace twofold {

// A table that only clamps, which a Relu is that has one scale before and behind, narrows the bounds of what is before
// it:
//
//   IntegerOp | Elementwise ─ q ─ Table ─ y    =>   IntegerOp | Elementwise ─ y
//
// Refuses where something else reads the integers in between, and where their type changes. Returns how many tables
// went away.
int fold_clamps(Graph& graph);

}  // namespace twofold

#endif  // TWOFOLD_SRC_ENGINE_FOLD_CLAMPS_H_
