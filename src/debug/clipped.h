// Which numbers a range cuts off.
#ifndef TWOFOLD_SRC_DEBUG_CLIPPED_H_
#define TWOFOLD_SRC_DEBUG_CLIPPED_H_

#include <cstdint>

#include "numeric/qparams.h"
#include "twofold/tensor.h"

namespace twofold {

// How many elements of a float32 tensor in plain layout lie further beyond the range than half a step: up to there they
// are rounded to the last integer, as any other number is to its nearest.
uint64_t count_clipped(const Tensor& tensor, const QParams& params);

}  // namespace twofold

#endif  // TWOFOLD_SRC_DEBUG_CLIPPED_H_
