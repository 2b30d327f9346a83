// The loops of the Reduce operators on data seen as [outer, reduced, inner].
#ifndef TWOFOLD_SRC_LOOPS_REDUCE_LOOPS_H_
#define TWOFOLD_SRC_LOOPS_REDUCE_LOOPS_H_

#include "loops/axis_split.h"
#include "twofold/tensor.h"

namespace twofold {

enum class ReduceOp : uint8_t { kSum, kMean, kMax, kMin, kProd, kL1, kL2, kLogSum, kLogSumExp, kSumSquare };

// Reduces `in` over split.axis into `out`, whose elements are outer x inner in row-major order.
// Sums of float32 are kept in double; their order depends on the shape only, never on threads or instruction set.
// Integers wrap; norms and logarithms of integers are computed in double and truncated. Logarithms and exponentials of
// float64 are those of math_core.h: relative error 2^-28.
// Nothing reduced (split.axis = 0) gives the neutral element: 0, 1, or the lowest (highest) value for Max (Min).
// T: float, double or an integer type.
template <typename T>
void reduce(ReduceOp op, const AxisSplit& split, const T* in, T* out);

}  // namespace twofold

#endif  // TWOFOLD_SRC_LOOPS_REDUCE_LOOPS_H_
