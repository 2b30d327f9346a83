#ifndef TWOFOLD_SRC_PASSES_FOLD_INPUT_AFFINE_H_
#define TWOFOLD_SRC_PASSES_FOLD_INPUT_AFFINE_H_

#include "graph/graph.h"

namespace twofold {

// Folds a multiplication or an addition before a Conv, Gemm or MatMul into its weight or bias:
//
//   x ─ Mul(s) ─ Conv(W, b) ─ y          =>      x ─ Conv(s W, b) ─ y
//   x ─ Add(c) ─ Conv(W, b) ─ y          =>      x ─ Conv(W, b + c sum(W)) ─ y
//
// s and c are single numbers: a factor per input channel would make the channels of a quantized weight unequal. Sums
// are over everything but the output channel, in double. Refuses where x op constant has another use; an addition also
// before a Conv that pads (zeros are not shifted), ConvTranspose (its border gets fewer terms) and MatMul (no bias).
// Returns the number of nodes folded.
int fold_input_affine(Graph& graph);

}  // namespace twofold

#endif  // TWOFOLD_SRC_PASSES_FOLD_INPUT_AFFINE_H_
