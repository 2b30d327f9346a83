// The loops of the pools, compiled for each instruction set. The bits do not depend on instruction set, layout or
// threads: an output's taps are combined one after the other in row-major order.
#ifndef TWOFOLD_SRC_LOOPS_POOL_KERNELS_H_
#define TWOFOLD_SRC_LOOPS_POOL_KERNELS_H_

#include <cstdint>
#include <functional>

#include "loops/pool_taps.h"

namespace twofold {

// y = the largest tap (NaN is skipped), the type's lowest value where there is none. T: float, double, or an
// integer of 8 or 16 bits.
template <typename T>
void max_pool(const PoolGeometry& geometry, const T* x, T* y);

// y = sum of the taps / their number.
void average_pool(const PoolGeometry& geometry, bool count_include_pad, const float* x, float* y);

// y = (sum of |tap|^p)^(1/p), p >= 1.
void lp_pool(const PoolGeometry& geometry, int64_t p, const float* x, float* y);

// Elements [offset, offset + n) of a tensor in float32, in the order of memory: where they lie, or written to
// `scratch`. May be called by several threads at once.
using FloatSource = std::function<const float*(int64_t offset, int64_t n, float* scratch)>;

// Over all `spatial` positions of x [batch, channels] at once: position p belongs to partial sum p % kPoolLanes, and
// the partial sums are added as a tree. x is read once, in pieces that stay in the cache.
inline constexpr int64_t kPoolLanes = 16;
void global_average_pool(int64_t batch, int64_t channels, int64_t spatial, bool channels_last, const FloatSource& x,
                         float* y);

// sum^(1/p) for sum >= 0: the same bits everywhere, exact to 1 ulp of double.
double root(double sum, int64_t p);
// |x|^p in double.
double power(float x, int64_t p);

}  // namespace twofold

#endif  // TWOFOLD_SRC_LOOPS_POOL_KERNELS_H_
