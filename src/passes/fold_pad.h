#ifndef TWOFOLD_SRC_PASSES_FOLD_PAD_H_
#define TWOFOLD_SRC_PASSES_FOLD_PAD_H_

#include "graph/graph.h"

namespace twofold {

// Folds a Pad of the spatial axes into the operator behind it:
//
//   x ─ Pad(p) ─ Conv(pads = q) ─ y          =>      x ─ Conv(pads = p + q) ─ y
//
//   Conv          the Pad writes zeros
//   AveragePool   the Pad writes zeros; they count, so count_include_pad becomes 1. Refuses where the pool pads by
//   itself
//                 without counting
//   MaxPool       the Pad writes -infinity, or zeros behind an operator whose results are not negative
//
// Refuses also where mode is not "constant", where pads are negative, unknown, or on batch or channels, where auto_pad
// is SAME_*, and pools with ceil_mode or with windows that might hold nothing but padding (pads >= kernel, or dilated).
// A Pad with other uses stays for them. Returns the number of operators changed.
int fold_pad(Graph& graph);

}  // namespace twofold

#endif  // TWOFOLD_SRC_PASSES_FOLD_PAD_H_
