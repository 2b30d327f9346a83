// float32 loops over rows and columns that Softmax, the normalizations and the reductions share, compiled for each
// instruction set. Sums are kept in double, in sixteen partial sums that are added in a fixed order (element i goes to
// partial sum i mod 16), so that the bits do not depend on the vector width. All are single-threaded.
#ifndef TWOFOLD_SRC_LOOPS_ROW_LOOPS_H_
#define TWOFOLD_SRC_LOOPS_ROW_LOOPS_H_

#include <cstdint>

namespace twofold {

// What is summed over a row: x, |x|, x^2, e^x, (x - shift)^2, e^(x - shift) for x <= shift.
enum class RowSum : uint8_t { kPlain, kAbs, kSquare, kExp, kSquareShifted, kExpShifted };

double row_sum(RowSum what, const float* x, int64_t n, float shift = 0);

// Largest and smallest element; NaN if there is one. -infinity and infinity of no elements.
float row_max(const float* x, int64_t n);
float row_min(const float* x, int64_t n);

// y = e^(x - shift) for x <= shift, and its sum. `y` may be `x`.
double row_exp(const float* x, float shift, float* y, int64_t n);

// y = (x - shift) * scale, element-wise; then * weight[i] and + bias[i] where these are not null. `y` may be `x`.
void row_normalize(const float* x, float shift, float scale, const float* weight, const float* bias, float* y,
                   int64_t n);

// For the columns of a matrix, one row at a time: accumulator[i] += f(x[i]), or the larger (smaller) of the two.
void column_sum(RowSum what, const float* x, const float* shift, double* accumulator, int64_t n);
void column_max(const float* x, float* accumulator, int64_t n);
void column_min(const float* x, float* accumulator, int64_t n);
// y = e^(x - shift[i]) for x <= shift[i], accumulator[i] += y;   y = x * scale[i] (as float).
void column_exp(const float* x, const float* shift, float* y, double* accumulator, int64_t n);
void column_scale(const float* x, const float* scale, float* y, int64_t n);
// y = x * scale[i] + bias[i].
void column_affine(const float* x, const float* scale, const float* bias, float* y, int64_t n);
// y = x * scale + bias.
void row_affine(const float* x, float scale, float bias, float* y, int64_t n);

}  // namespace twofold

#endif  // TWOFOLD_SRC_LOOPS_ROW_LOOPS_H_
