#include "numeric/float_range.h"

#include <bit>
#include <cstddef>
#include <cstdint>

#include "base/check.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "numeric/float_range.cc"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace twofold {
namespace HWY_NAMESPACE {
namespace {

// An integer that orders as the float does: one integer minimum and maximum then find range, NaN and infinity at once.
inline int32_t key_of(float x) {
  const auto bits = std::bit_cast<int32_t>(x);
  return bits ^ ((bits >> 31) & 0x7fffffff);
}
inline float from_key(int32_t key) { return std::bit_cast<float>(key ^ ((key >> 31) & 0x7fffffff)); }

void key_range(const float* HWY_RESTRICT x, size_t n, int32_t* least, int32_t* greatest) {
  int32_t low = INT32_MAX, high = INT32_MIN;
  for (size_t i = 0; i < n; ++i) {
    const int32_t key = key_of(x[i]);
    low = key < low ? key : low;
    high = key > high ? key : high;
  }
  *least = low;
  *greatest = high;
}

// Returns the bits of the largest |x|.
int32_t widen(const float* HWY_RESTRICT x, float* HWY_RESTRICT low, float* HWY_RESTRICT high, size_t n) {
  int32_t largest = 0;
  for (size_t i = 0; i < n; ++i) {
    const int32_t key = key_of(x[i]), a = key_of(low[i]), b = key_of(high[i]);
    low[i] = from_key(key < a ? key : a);
    high[i] = from_key(key > b ? key : b);
    const int32_t magnitude = std::bit_cast<int32_t>(x[i]) & 0x7fffffff;
    largest = magnitude > largest ? magnitude : largest;
  }
  return largest;
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace twofold
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace twofold {

namespace {
HWY_EXPORT(key_range);
HWY_EXPORT(widen);

constexpr int32_t kInfinityBits = 0x7f800000;

float from_key(int32_t key) { return std::bit_cast<float>(key ^ ((key >> 31) & 0x7fffffff)); }
}  // namespace

FloatRange float_range(std::span<const float> x) {
  TWOFOLD_CHECK(!x.empty());
  int32_t low = 0, high = 0;
  HWY_DYNAMIC_DISPATCH(key_range)(x.data(), x.size(), &low, &high);
  return {from_key(low), from_key(high), high < kInfinityBits && low > ~kInfinityBits};
}

bool widen_ranges(std::span<const float> x, std::span<float> low, std::span<float> high) {
  TWOFOLD_CHECK(x.size() == low.size() && x.size() == high.size());
  return HWY_DYNAMIC_DISPATCH(widen)(x.data(), low.data(), high.data(), x.size()) < kInfinityBits;
}

void widen_channels(std::span<const float> x, size_t inner, std::span<float> low, std::span<float> high) {
  const size_t channels = low.size();
  if (inner == 1) {  // neighbours are of different channels
    for (size_t start = 0; start < x.size(); start += channels) widen_ranges(x.subspan(start, channels), low, high);
    return;
  }
  for (size_t slice = 0; slice * inner < x.size(); ++slice) {
    const FloatRange range = float_range(x.subspan(slice * inner, inner));
    const size_t channel = slice % channels;
    low[channel] = least(low[channel], range.min);
    high[channel] = greatest(high[channel], range.max);
  }
}

}  // namespace twofold
#endif  // HWY_ONCE
