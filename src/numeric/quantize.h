// Quantize and dequantize arrays: the loops that define what an integer means (docs/numerics.md, rules 1 and 3).
#ifndef TWOFOLD_SRC_NUMERIC_QUANTIZE_H_
#define TWOFOLD_SRC_NUMERIC_QUANTIZE_H_

#include <cstdint>
#include <span>

namespace twofold {

// Rounds to the nearest integer, ties to even, for any float (values past 2^23 are integers already).
// Plain arithmetic, so that it gives the same bits with every instruction set and vectorizes on all of them.
inline float round_half_even(float x) {
  const float magic = 12582912.0F;  // 1.5 * 2^23: adding it pushes the fraction out of the mantissa
  const float rounded = (x + magic) - magic;
  return (x < 4194304.0F && x > -4194304.0F) ? rounded : x;
}
inline double round_half_even(double x) {
  const double magic = 6755399441055744.0;  // 1.5 * 2^52
  const double rounded = (x + magic) - magic;
  return (x < 2251799813685248.0 && x > -2251799813685248.0) ? rounded : x;
}

// q = saturate(round_half_even(x / scale) + zero_point); NaN gives zero_point.
// T: int8_t, uint8_t, int16_t or uint16_t. REQUIRES: x.size() == q.size(), scale > 0.
template <typename T>
void quantize(std::span<const float> x, float scale, int32_t zero_point, std::span<T> q);

// x = (q - zero_point) * scale, in float32. T as above, or int32_t.
template <typename T>
void dequantize(std::span<const T> q, float scale, int32_t zero_point, std::span<float> x);

}  // namespace twofold

#endif  // TWOFOLD_SRC_NUMERIC_QUANTIZE_H_
