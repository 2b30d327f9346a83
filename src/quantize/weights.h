// Constant operands as integers, where that is more than numeric/quantize_tensor.h.
#ifndef TWOFOLD_SRC_QUANTIZE_WEIGHTS_H_
#define TWOFOLD_SRC_QUANTIZE_WEIGHTS_H_

#include "graph/graph.h"
#include "numeric/qparams.h"
#include "plan/config.h"

namespace twofold {

// Symmetric scales from the largest magnitude: one per index of `axis`, or one for all where axis is -1.
// Throws Error(kInvalidArgument) on NaN, infinity and types other than float32. REQUIRES: is_integer(qtype).
QParams weight_qparams(const Tensor& weight, int axis, QType qtype);

// The integers of a weight: int8 or int16 of the weight's shape. Rounding::kNearest: every weight to its nearest
// integer; kPreserveSum: then the weights nearest to the middle between two integers move by one step so that the sum
// of each filter (all weights of one output channel) is kept. REQUIRES: params.qtype int8 or int16.
Tensor quantize_weight(const Tensor& weight, const QParams& params, Rounding rounding);

}  // namespace twofold

#endif  // TWOFOLD_SRC_QUANTIZE_WEIGHTS_H_
