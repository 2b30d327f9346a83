// Sums over numbers, from which their moments follow.
#ifndef TWOFOLD_SRC_DEBUG_MOMENT_SUMS_H_
#define TWOFOLD_SRC_DEBUG_MOMENT_SUMS_H_

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <span>

#include "debug/operand_statistics.h"

namespace twofold {

struct MomentSums {
  double min = std::numeric_limits<double>::infinity(), max = -min, sum = 0, squares = 0;
  uint64_t count = 0;

  void add(std::span<const float> x) {
    for (const float v : x) {
      min = std::min<double>(min, v);
      max = std::max<double>(max, v);
      sum += v;
      squares += static_cast<double>(v) * v;
    }
    count += x.size();
  }

  Moments moments() const {
    if (count == 0) return {};
    const double mean = sum / static_cast<double>(count);
    return {min, max, mean, std::sqrt(std::max(squares / static_cast<double>(count) - mean * mean, 0.0))};
  }
};

}  // namespace twofold

#endif  // TWOFOLD_SRC_DEBUG_MOMENT_SUMS_H_
