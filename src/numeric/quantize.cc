#include "numeric/quantize.h"

#include <limits>

#include "base/check.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "numeric/quantize.cc"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace twofold {
namespace HWY_NAMESPACE {
namespace {

template <typename T>
HWY_INLINE void quantize_loop(const float* HWY_RESTRICT x, size_t n, float scale, int32_t zero_point, int32_t lowest,
                              int32_t highest, T* HWY_RESTRICT q) {
  // Clamping before the zero point is added keeps every value small enough for an exact float sum; clamping before
  // rounding, to integers, changes nothing and keeps the fraction within reach of 1.5 * 2^23, which pushes it out.
  const auto low = static_cast<float>(lowest - zero_point);
  const auto high = static_cast<float>(highest - zero_point);
  constexpr float kMagic = 12582912.0F;
  for (size_t i = 0; i < n; ++i) {
    float v = x[i] / scale;
    v = v == v ? v : 0.0F;
    v = v < low ? low : v;
    v = v > high ? high : v;
    q[i] = static_cast<T>(static_cast<int32_t>((v + kMagic) - kMagic) + zero_point);
  }
}

template <typename T>
HWY_INLINE void dequantize_loop(const T* HWY_RESTRICT q, size_t n, float scale, int32_t zero_point,
                                float* HWY_RESTRICT x) {
  for (size_t i = 0; i < n; ++i) {
    // Differences of 8- and 16-bit types are exact; those of int32 wrap, as ONNX leaves open, and biases have no zero
    // point.
    const auto difference = static_cast<int32_t>(static_cast<uint32_t>(q[i]) - static_cast<uint32_t>(zero_point));
    x[i] = static_cast<float>(difference) * scale;
  }
}

#define TWOFOLD_QUANTIZE(name, type)                                                                         \
  void quantize_##name(const float* x, size_t n, float scale, int32_t zero_point, int32_t low, int32_t high, \
                       type* q) {                                                                            \
    quantize_loop(x, n, scale, zero_point, low, high, q);                                                    \
  }
#define TWOFOLD_DEQUANTIZE(name, type)                                                         \
  void dequantize_##name(const type* q, size_t n, float scale, int32_t zero_point, float* x) { \
    dequantize_loop(q, n, scale, zero_point, x);                                               \
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

// One function for each type, since dispatch takes no templates.
#define TWOFOLD_QUANTIZE_AS(name, type)                                                                     \
  namespace {                                                                                               \
  HWY_EXPORT(quantize_##name);                                                                              \
  }                                                                                                         \
  template <>                                                                                               \
  void quantize<type>(std::span<const float> x, float scale, int32_t zero_point, int32_t low, int32_t high, \
                      std::span<type> q) {                                                                  \
    TWOFOLD_CHECK(x.size() == q.size() && scale > 0 && low <= high);                                        \
    HWY_DYNAMIC_DISPATCH(quantize_##name)(x.data(), x.size(), scale, zero_point, low, high, q.data());      \
  }
#define TWOFOLD_DEQUANTIZE_AS(name, type)                                                               \
  namespace {                                                                                           \
  HWY_EXPORT(dequantize_##name);                                                                        \
  }                                                                                                     \
  template <>                                                                                           \
  void dequantize<type>(std::span<const type> q, float scale, int32_t zero_point, std::span<float> x) { \
    TWOFOLD_CHECK(x.size() == q.size());                                                                \
    HWY_DYNAMIC_DISPATCH(dequantize_##name)(q.data(), q.size(), scale, zero_point, x.data());           \
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

}  // namespace twofold
#endif  // HWY_ONCE
