#ifndef TWOFOLD_SRC_PASSES_UNFLATTEN_SOFTMAX_H_
#define TWOFOLD_SRC_PASSES_UNFLATTEN_SOFTMAX_H_

#include "graph/graph.h"

namespace twofold {

// Takes away the matrix that Softmax, LogSoftmax and Hardmax of opsets before 13 worked on, where it has one axis only:
//
//   x ─┬─ Flatten(axis = rank - 1) ─ Softmax(-1) ─┐
//      └─ Shape ───────────────────────────────── Reshape ─ y          =>      x ─ Softmax(-1) ─ y
//
// Import has to write it where it does not know the rank of x; inference (passes/infer_types.h) may know it. Refuses
// other ranks, and where a result in between has another use. Returns the number of patterns rewritten.
int unflatten_softmax(Graph& graph);

}  // namespace twofold

#endif  // TWOFOLD_SRC_PASSES_UNFLATTEN_SOFTMAX_H_
