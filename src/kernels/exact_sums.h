// Accumulators in float64 are exact up to 2^53 (docs/numerics.md, "Why the kernels are exact").
#ifndef TWOFOLD_SRC_KERNELS_EXACT_SUMS_H_
#define TWOFOLD_SRC_KERNELS_EXACT_SUMS_H_

#include <cstdint>

#include "base/error.h"

namespace twofold::kernels {

// Throws Error(kUnsupported) if `largest`, which no accumulator of k products exceeds in magnitude, is too large.
inline void check_sums_are_exact(double largest, int64_t k) {
  constexpr double kExact = 9007199254740992.0;  // 2^53
  if (largest > kExact) {
    throw_error(ErrorCode::kUnsupported, "sums of {} products of these integers could pass 2^53", k);
  }
}

}  // namespace twofold::kernels

#endif  // TWOFOLD_SRC_KERNELS_EXACT_SUMS_H_
