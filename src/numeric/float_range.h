// The smallest and largest number of an array, at the speed of memory.
#ifndef TWOFOLD_SRC_NUMERIC_FLOAT_RANGE_H_
#define TWOFOLD_SRC_NUMERIC_FLOAT_RANGE_H_

#include <cmath>
#include <cstddef>
#include <span>

namespace twofold {

// Compared as a total order in which -0 < +0, so that the bits do not depend on the order of the elements.
struct FloatRange {
  float min;
  float max;
  bool finite;  // false if any element is NaN or infinite; min and max then mean nothing
};

// REQUIRES: !x.empty().
FloatRange float_range(std::span<const float> x);

// The order of FloatRange.
inline float least(float a, float b) { return a < b || (a == b && std::signbit(a)) ? a : b; }
inline float greatest(float a, float b) { return a > b || (a == b && !std::signbit(a)) ? a : b; }

// Widens low[i], high[i] by x[i]. Returns false if any x[i] is NaN or infinite.
// REQUIRES: three spans of one size; low and high hold finite numbers or infinities.
bool widen_ranges(std::span<const float> x, std::span<float> low, std::span<float> high);

// Widens low[c], high[c] by each channel of x, [outer, channels, inner]. REQUIRES: x holds finite numbers; low and high
// have one of each channel.
void widen_channels(std::span<const float> x, size_t inner, std::span<float> low, std::span<float> high);

}  // namespace twofold

#endif  // TWOFOLD_SRC_NUMERIC_FLOAT_RANGE_H_
