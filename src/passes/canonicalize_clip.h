#ifndef TWOFOLD_SRC_PASSES_CANONICALIZE_CLIP_H_
#define TWOFOLD_SRC_PASSES_CANONICALIZE_CLIP_H_

#include "graph/graph.h"

namespace twofold {

// Writes a Clip that is a Relu as one:
//
//   x ─ Clip(0, infinity) ─ y          =>      x ─ Relu ─ y
//
// The upper bound may be missing, infinite or the largest float. Refuses other bounds, bounds that are not constant,
// and types other than float32. Returns the number of nodes rewritten.
int canonicalize_clip(Graph& graph);

}  // namespace twofold

#endif  // TWOFOLD_SRC_PASSES_CANONICALIZE_CLIP_H_
