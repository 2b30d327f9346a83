#include "numeric/quantize.h"

#include <limits>

#include "base/check.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "numeric/quantize.cc"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"
#include "numeric/quantize_steps.h"

HWY_BEFORE_NAMESPACE();
namespace twofold {
namespace HWY_NAMESPACE {
namespace {

// x(i) is number i.
template <typename T, typename Numbers, typename Steps>
HWY_INLINE void quantize_each(const Numbers& x, size_t n, const Steps& steps, int32_t zero_point, T* HWY_RESTRICT q) {
  for (size_t i = 0; i < n; ++i) q[i] = static_cast<T>(static_cast<int32_t>(nearest(steps.of(x(i)))) + zero_point);
}

template <typename T, typename Numbers>
HWY_INLINE void quantize_loop(const Numbers& x, size_t n, float scale, int32_t zero_point, int32_t lowest,
                              int32_t highest, T* HWY_RESTRICT q) {
  const auto low = static_cast<float>(lowest - zero_point), high = static_cast<float>(highest - zero_point);
  if (has_reciprocal(scale)) {
    quantize_each(x, n, StepsByReciprocal(scale, low, high), zero_point, q);
  } else {
    quantize_each(x, n, StepsByDivision{scale, low, high}, zero_point, q);
  }
}

// Differences of 8- and 16-bit types are exact; those of int32 wrap, as ONNX leaves open, and biases have no zero
// point.
template <typename T>
HWY_INLINE float dequantized(T q, float scale, int32_t zero_point) {
  const auto difference = static_cast<int32_t>(static_cast<uint32_t>(q) - static_cast<uint32_t>(zero_point));
  return static_cast<float>(difference) * scale;
}

template <typename T>
HWY_INLINE void dequantize_loop(const T* HWY_RESTRICT q, size_t n, float scale, int32_t zero_point,
                                float* HWY_RESTRICT x) {
  for (size_t i = 0; i < n; ++i) x[i] = dequantized(q[i], scale, zero_point);
}

template <typename T>
HWY_INLINE void add_loop(const QuantizedRows<T>& a, const QuantizedRows<T>& b, size_t rows, size_t columns, float scale,
                         int32_t zero_point, int32_t low, int32_t high, T* HWY_RESTRICT q, size_t q_stride) {
  const float a_scale = a.scale, b_scale = b.scale;
  const int32_t a_zero = a.zero_point, b_zero = b.zero_point;
  for (size_t r = 0; r < rows; ++r, q += q_stride) {
    const T *HWY_RESTRICT x = a.data + r * a.row_stride, *HWY_RESTRICT y = b.data + r * b.row_stride;
    const auto sum = [=](size_t i)
                         HWY_ATTR { return dequantized(x[i], a_scale, a_zero) + dequantized(y[i], b_scale, b_zero); };
    quantize_loop(sum, columns, scale, zero_point, low, high, q);
  }
}

#define TWOFOLD_QUANTIZE(name, type)                                                                              \
  void quantize_##name(const float* x, size_t rows, size_t columns, float scale, int32_t zero_point, int32_t low, \
                       int32_t high, type* q, size_t q_stride) {                                                  \
    for (size_t r = 0; r < rows; ++r, x += columns, q += q_stride) {                                              \
      const float* row = x;                                                                                       \
      quantize_loop([row](size_t i) HWY_ATTR { return row[i]; }, columns, scale, zero_point, low, high, q);       \
    }                                                                                                             \
  }                                                                                                               \
  void add_##name(const QuantizedRows<type>& a, const QuantizedRows<type>& b, size_t rows, size_t columns,        \
                  float scale, int32_t zero_point, int32_t low, int32_t high, type* q, size_t q_stride) {         \
    add_loop(a, b, rows, columns, scale, zero_point, low, high, q, q_stride);                                     \
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
#define TWOFOLD_QUANTIZE_AS(name, type)                                                                               \
  namespace {                                                                                                         \
  HWY_EXPORT(quantize_##name);                                                                                        \
  }                                                                                                                   \
  template <>                                                                                                         \
  void quantize_rows<type>(const float* x, size_t rows, size_t columns, float scale, int32_t zero_point, int32_t low, \
                           int32_t high, type* q, size_t q_stride) {                                                  \
    TWOFOLD_CHECK(scale > 0 && low <= high);                                                                          \
    HWY_DYNAMIC_DISPATCH(quantize_##name)(x, rows, columns, scale, zero_point, low, high, q, q_stride);               \
  }                                                                                                                   \
  template <>                                                                                                         \
  void quantize<type>(std::span<const float> x, float scale, int32_t zero_point, int32_t low, int32_t high,           \
                      std::span<type> q) {                                                                            \
    TWOFOLD_CHECK(x.size() == q.size());                                                                              \
    quantize_rows<type>(x.data(), 1, x.size(), scale, zero_point, low, high, q.data(), 0);                            \
  }                                                                                                                   \
  namespace {                                                                                                         \
  HWY_EXPORT(add_##name);                                                                                             \
  }                                                                                                                   \
  template <>                                                                                                         \
  void add_quantized<type>(const QuantizedRows<type>& a, const QuantizedRows<type>& b, size_t rows, size_t columns,   \
                           float scale, int32_t zero_point, int32_t low, int32_t high, type* q, size_t q_stride) {    \
    TWOFOLD_CHECK(scale > 0 && low <= high);                                                                          \
    HWY_DYNAMIC_DISPATCH(add_##name)(a, b, rows, columns, scale, zero_point, low, high, q, q_stride);                 \
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
