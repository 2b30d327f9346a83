#include "numeric/quantize_channels.h"

#include <limits>

#include "base/check.h"
#include "numeric/channel_ranges.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "numeric/quantize_channels.cc"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"
#include "numeric/channel_runs.h"

HWY_BEFORE_NAMESPACE();
namespace twofold {
namespace HWY_NAMESPACE {
namespace {

template <typename T>
HWY_INLINE void quantize_range(const float* x, const ChannelScales& view, size_t begin, size_t end, T* q) {
  constexpr auto kLow = static_cast<float>(std::numeric_limits<T>::min());
  constexpr auto kHigh = static_cast<float>(std::numeric_limits<T>::max());
  for_each_run(view, begin, end, [=](size_t first, size_t n, const auto& scales) TWOFOLD_LAMBDA {
    with_steps(scales, kLow, kHigh, [=](const auto& steps) TWOFOLD_LAMBDA {
      const float* HWY_RESTRICT in = x + first;
      T* HWY_RESTRICT out = q + first;
      TWOFOLD_INDEPENDENT
      for (size_t i = 0; i < n; ++i) {
        out[i] = static_cast<T>(static_cast<int32_t>(nearest(steps.of(i, in[i]))) + scales.zero(i));
      }
    });
  });
}

// Differences of 8- and 16-bit types are exact; those of int32 wrap, as ONNX leaves open, and biases have no zero
// point.
template <typename T>
HWY_INLINE void dequantize_range(const T* q, const ChannelScales& view, size_t begin, size_t end, float* x) {
  for_each_run(view, begin, end, [=](size_t first, size_t n, const auto& scales) TWOFOLD_LAMBDA {
    const T* HWY_RESTRICT in = q + first;
    float* HWY_RESTRICT out = x + first;
    TWOFOLD_INDEPENDENT
    for (size_t i = 0; i < n; ++i) {
      const auto difference = static_cast<uint32_t>(in[i]) - static_cast<uint32_t>(scales.zero(i));
      out[i] = static_cast<float>(static_cast<int32_t>(difference)) * scales.scale(i);
    }
  });
}

void ec_digits(const float* x, const ChannelScales& view, size_t begin, size_t end, int8_t* q1, int8_t* q2) {
  for_each_ec(x, view, begin, end, -128, 127, [=](size_t i, float first, float second, float) TWOFOLD_LAMBDA {
    q1[i] = static_cast<int8_t>(static_cast<int32_t>(first));
    q2[i] = static_cast<int8_t>(static_cast<int32_t>(second));
  });
}

void ec_joined(const float* x, const ChannelScales& view, size_t begin, size_t end, int16_t* v) {
  for_each_ec(x, view, begin, end, -128, 127, [=](size_t i, float first, float second, float) TWOFOLD_LAMBDA {
    v[i] = static_cast<int16_t>(static_cast<int32_t>(kEcBase * first + second));
  });
}

#define TWOFOLD_QUANTIZE(name, type)                                                                   \
  void quantize_##name(const float* x, const ChannelScales& view, size_t begin, size_t end, type* q) { \
    quantize_range(x, view, begin, end, q);                                                            \
  }
#define TWOFOLD_DEQUANTIZE(name, type)                                                                   \
  void dequantize_##name(const type* q, const ChannelScales& view, size_t begin, size_t end, float* x) { \
    dequantize_range(q, view, begin, end, x);                                                            \
  }
TWOFOLD_QUANTIZE(s8, int8_t)
TWOFOLD_QUANTIZE(u8, uint8_t)
TWOFOLD_QUANTIZE(s16, int16_t)
TWOFOLD_QUANTIZE(u16, uint16_t)
TWOFOLD_DEQUANTIZE(s8, int8_t)
TWOFOLD_DEQUANTIZE(u8, uint8_t)
TWOFOLD_DEQUANTIZE(s16, int16_t)
TWOFOLD_DEQUANTIZE(u16, uint16_t)
TWOFOLD_DEQUANTIZE(s32, int32_t)

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace twofold
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace twofold {

namespace {

HWY_EXPORT(ec_digits);
HWY_EXPORT(ec_joined);

}  // namespace

// One function for each type, since dispatch takes no templates.
#define TWOFOLD_QUANTIZE_AS(name, type)                                                           \
  namespace {                                                                                     \
  HWY_EXPORT(quantize_##name);                                                                    \
  }                                                                                               \
  template <>                                                                                     \
  void quantize<type>(std::span<const float> x, const ChannelScales& scales, std::span<type> q) { \
    TWOFOLD_CHECK(std::ssize(x) == scales.size() && x.size() == q.size());                        \
    for_each_range(scales, [&](const ChannelScales& view, size_t begin, size_t end) {             \
      HWY_DYNAMIC_DISPATCH(quantize_##name)(x.data(), view, begin, end, q.data());                \
    });                                                                                           \
  }
#define TWOFOLD_DEQUANTIZE_AS(name, type)                                                           \
  namespace {                                                                                       \
  HWY_EXPORT(dequantize_##name);                                                                    \
  }                                                                                                 \
  template <>                                                                                       \
  void dequantize<type>(std::span<const type> q, const ChannelScales& scales, std::span<float> x) { \
    TWOFOLD_CHECK(std::ssize(q) == scales.size() && x.size() == q.size());                          \
    for_each_range(scales, [&](const ChannelScales& view, size_t begin, size_t end) {               \
      HWY_DYNAMIC_DISPATCH(dequantize_##name)(q.data(), view, begin, end, x.data());                \
    });                                                                                             \
  }

TWOFOLD_QUANTIZE_AS(s8, int8_t)
TWOFOLD_QUANTIZE_AS(u8, uint8_t)
TWOFOLD_QUANTIZE_AS(s16, int16_t)
TWOFOLD_QUANTIZE_AS(u16, uint16_t)
TWOFOLD_DEQUANTIZE_AS(s8, int8_t)
TWOFOLD_DEQUANTIZE_AS(u8, uint8_t)
TWOFOLD_DEQUANTIZE_AS(s16, int16_t)
TWOFOLD_DEQUANTIZE_AS(u16, uint16_t)
TWOFOLD_DEQUANTIZE_AS(s32, int32_t)

void ec_quantize(std::span<const float> x, const ChannelScales& scales, std::span<int8_t> q1, std::span<int8_t> q2) {
  TWOFOLD_CHECK(std::ssize(x) == scales.size() && x.size() == q1.size() && x.size() == q2.size());
  TWOFOLD_CHECK(scales.zero_point.empty());
  for_each_range(scales, [&](const ChannelScales& view, size_t begin, size_t end) {
    HWY_DYNAMIC_DISPATCH(ec_digits)(x.data(), view, begin, end, q1.data(), q2.data());
  });
}

void ec_quantize(std::span<const float> x, const ChannelScales& scales, std::span<int16_t> v) {
  TWOFOLD_CHECK(std::ssize(x) == scales.size() && x.size() == v.size() && scales.zero_point.empty());
  for_each_range(scales, [&](const ChannelScales& view, size_t begin, size_t end) {
    HWY_DYNAMIC_DISPATCH(ec_joined)(x.data(), view, begin, end, v.data());
  });
}

}  // namespace twofold
#endif  // HWY_ONCE
