// GlobalAveragePool of numbers that are there, or are computed piece by piece.
#ifndef TWOFOLD_SRC_OPS_GLOBAL_POOL_H_
#define TWOFOLD_SRC_OPS_GLOBAL_POOL_H_

#include "loops/pool_kernels.h"
#include "ops/op.h"

namespace twofold {

// Output 0 = the mean of each channel of input 0, whose elements are those of `x`, as float32 [N,C,1...].
// Throws Error(kInvalidModel) unless input 0 is [N,C,spatial...] with positions to pool.
void global_average(OpCall& call, const FloatSource& x);

}  // namespace twofold

#endif  // TWOFOLD_SRC_OPS_GLOBAL_POOL_H_
