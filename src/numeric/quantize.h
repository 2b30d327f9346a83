// Quantize and dequantize arrays: the loops that define what an integer means (docs/numerics.md, rules 1 and 3).
#ifndef TWOFOLD_SRC_NUMERIC_QUANTIZE_H_
#define TWOFOLD_SRC_NUMERIC_QUANTIZE_H_

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>

namespace twofold {

// Rounds to the nearest integer, ties to even, for any value. Adding 2^23 (2^52) with the sign of x pushes the fraction
// out of the mantissa; larger values are integers already. Plain arithmetic, so that it gives the same bits with every
// instruction set and vectorizes on all of them.
inline float round_half_even(float x) {
  const float magic = std::copysign(8388608.0F, x);
  const float rounded = (x + magic) - magic;
  return std::fabs(x) < 8388608.0F ? rounded : x;
}
inline double round_half_even(double x) {
  const double magic = std::copysign(4503599627370496.0, x);
  const double rounded = (x + magic) - magic;
  return std::fabs(x) < 4503599627370496.0 ? rounded : x;
}

// q = clamp(round_half_even(x / scale) + zero_point, low, high); NaN counts as 0.
// T: int8_t, uint8_t, int16_t or uint16_t. REQUIRES: x.size() == q.size(), scale > 0, low <= high within T.
template <typename T>
void quantize(std::span<const float> x, float scale, int32_t zero_point, int32_t low, int32_t high, std::span<T> q);

// The same of a matrix x [rows,columns], dense, to rows of q that begin q_stride elements apart.
template <typename T>
void quantize_rows(const float* x, size_t rows, size_t columns, float scale, int32_t zero_point, int32_t low,
                   int32_t high, T* q, size_t q_stride);

// The same with T's own bounds: it saturates.
template <typename T>
void quantize(std::span<const float> x, float scale, int32_t zero_point, std::span<T> q) {
  quantize<T>(x, scale, zero_point, std::numeric_limits<T>::min(), std::numeric_limits<T>::max(), q);
}

// x = (q - zero_point) * scale, in float32. T as above, or int32_t.
template <typename T>
void dequantize(std::span<const T> q, float scale, int32_t zero_point, std::span<float> x);

// The integers of a matrix, rows `row_stride` elements apart.
template <typename T>
struct QuantizedRows {
  const T* data;
  size_t row_stride;
  float scale;
  int32_t zero_point;
};

// q = quantize(dequantize(a) + dequantize(b)) of matrices [rows,columns], in one pass: what a residual connection is.
// Rows of q begin q_stride elements apart. T as in quantize.
template <typename T>
void add_quantized(const QuantizedRows<T>& a, const QuantizedRows<T>& b, size_t rows, size_t columns, float scale,
                   int32_t zero_point, int32_t low, int32_t high, T* q, size_t q_stride);

}  // namespace twofold

#endif  // TWOFOLD_SRC_NUMERIC_QUANTIZE_H_
