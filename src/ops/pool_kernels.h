// The loops of the pools, compiled for each instruction set. The bits do not depend on instruction set, layout or
// threads: an output's taps are combined one after the other in row-major order.
#ifndef TWOFOLD_SRC_OPS_POOL_KERNELS_H_
#define TWOFOLD_SRC_OPS_POOL_KERNELS_H_

#include <cstdint>

#include "ops/pool_taps.h"

namespace twofold {

// y = the largest tap (NaN is skipped), the type's lowest value where there is none. T: float, double, or an
// integer of 8 or 16 bits.
template <typename T>
void max_pool(const PoolGeometry& geometry, const T* x, T* y);

// y = sum of the taps / their number.
void average_pool(const PoolGeometry& geometry, bool count_include_pad, const float* x, float* y);

// y = (sum of |tap|^p)^(1/p), p >= 1.
void lp_pool(const PoolGeometry& geometry, int64_t p, const float* x, float* y);

// Over all `spatial` positions of x [batch, channels] at once, in one pass of 16 partial sums that are added as a tree.
void global_average_pool(int64_t batch, int64_t channels, int64_t spatial, bool channels_last, const float* x,
                         float* y);

// sum^(1/p) for sum >= 0: the same bits everywhere, exact to 1 ulp of double.
double root(double sum, int64_t p);
// |x|^p in double.
double power(float x, int64_t p);

}  // namespace twofold

#endif  // TWOFOLD_SRC_OPS_POOL_KERNELS_H_
