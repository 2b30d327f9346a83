#ifndef TWOFOLD_SRC_PASSES_REMOVE_IDENTITY_H_
#define TWOFOLD_SRC_PASSES_REMOVE_IDENTITY_H_

#include "graph/graph.h"

namespace twofold {

// Removes nodes that hand their input on as it is:
//
//   x ─ Identity ─ y ─ Relu ─ z          =>      x ─ Relu ─ z
//
// These are: Identity; Dropout at inference; Cast to the type that the tensor has; Reshape, Expand to its own shape;
// Transpose with perm 0, 1, 2, ...; Pad by nothing; Slice of everything; Concat, Sum, Max, Min, Mean of one input; x +
// 0, x - 0, x * 1, x / 1, x ^ 1; Squeeze and Unsqueeze of no axes; Resize with scales 1. Refuses where inference
// (passes/infer_types.h) cannot prove it, e.g. an unknown rank, and where a second output is used. An output of the
// graph keeps its name (GraphOutput). Returns the number of nodes removed.
int remove_identity(Graph& graph);

}  // namespace twofold

#endif  // TWOFOLD_SRC_PASSES_REMOVE_IDENTITY_H_
