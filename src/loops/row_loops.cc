#include "loops/row_loops.h"

#include <limits>

#include "numeric/math.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "loops/row_loops.cc"
#include "hwy/foreach_target.h"
// After foreach_target.h.
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace twofold {
namespace HWY_NAMESPACE {

constexpr int kParts = 16, kExtremeParts = 32;

TWOFOLD_INLINE float max_of(float a, float x) { return ((x > a) | (x != x)) ? x : a; }
TWOFOLD_INLINE float min_of(float a, float x) { return ((x < a) | (x != x)) ? x : a; }

// Combines the parts in pairs: 16, 8, 4, 2, 1.
template <int count, typename T, typename Combine>
HWY_INLINE T combine_parts(T* parts, const Combine& combine) {
  for (int half = count / 2; half > 0; half /= 2) {
    for (int i = 0; i < half; ++i) parts[i] = combine(parts[i], parts[i + half]);
  }
  return parts[0];
}

// Sum of term(i) for i in [0, n).
template <typename Term>
HWY_INLINE double sum(int64_t n, const Term& term) {
  double parts[kParts] = {};
  int64_t i = 0;
  for (; i + kParts <= n; i += kParts) {
    for (int k = 0; k < kParts; ++k) parts[k] += term(i + k);
  }
  for (int k = 0; i + k < n; ++k) parts[k] += term(i + k);
  return combine_parts<kParts>(parts, [](double a, double b) HWY_ATTR { return a + b; });
}

// The order plays no part but for the sign of zeros. More parts than those of a sum, since the compiler keeps a loop of
// this length as one of vectors.
template <typename Choose>
HWY_INLINE float extreme(const float* HWY_RESTRICT x, int64_t n, float start, const Choose& choose) {
  float parts[kExtremeParts];
  for (int k = 0; k < kExtremeParts; ++k) parts[k] = start;
  int64_t i = 0;
  for (; i + kExtremeParts <= n; i += kExtremeParts) {
    for (int k = 0; k < kExtremeParts; ++k) parts[k] = choose(parts[k], x[i + k]);
  }
  for (int k = 0; i + k < n; ++k) parts[k] = choose(parts[k], x[i + k]);
  return combine_parts<kExtremeParts>(parts, choose);
}

TWOFOLD_INLINE double square(double x) { return x * x; }

// Calls body with the function from (x, shift) to the term of the sum.
template <typename Body>
HWY_INLINE void with_term(RowSum what, const Body& body) {
  switch (what) {
    case RowSum::kPlain: return body([](float x, float) HWY_ATTR { return static_cast<double>(x); });
    case RowSum::kAbs: return body([](float x, float) HWY_ATTR { return static_cast<double>(std::fabs(x)); });
    case RowSum::kSquare: return body([](float x, float) HWY_ATTR { return square(x); });
    case RowSum::kExp: return body([](float x, float) HWY_ATTR { return static_cast<double>(math::exp(x)); });
    case RowSum::kSquareShifted:
      return body([](float x, float shift) HWY_ATTR { return square(static_cast<double>(x) - shift); });
    case RowSum::kExpShifted:
      return body([](float x, float shift) HWY_ATTR { return static_cast<double>(math::exp_nonpositive(x - shift)); });
  }
}

double row_sum_loop(RowSum what, const float* x, int64_t n, float shift) {
  double result = 0;
  with_term(what,
            [&](const auto& term) HWY_ATTR { result = sum(n, [=](int64_t i) HWY_ATTR { return term(x[i], shift); }); });
  return result;
}

float row_max_loop(const float* x, int64_t n) {
  return extreme(x, n, -std::numeric_limits<float>::infinity(), [](float a, float b) HWY_ATTR { return max_of(a, b); });
}

float row_min_loop(const float* x, int64_t n) {
  return extreme(x, n, std::numeric_limits<float>::infinity(), [](float a, float b) HWY_ATTR { return min_of(a, b); });
}

double row_exp_loop(const float* x, float shift, float* y, int64_t n) {
  TWOFOLD_INDEPENDENT
  for (int64_t i = 0; i < n; ++i) y[i] = math::exp_nonpositive(x[i] - shift);
  return sum(n, [=](int64_t i) HWY_ATTR { return static_cast<double>(y[i]); });
}

void row_normalize_loop(const float* x, float shift, float scale, const float* weight, const float* bias, float* y,
                        int64_t n) {
  if (weight == nullptr) {
    TWOFOLD_INDEPENDENT
    for (int64_t i = 0; i < n; ++i) y[i] = (x[i] - shift) * scale;
  } else if (bias == nullptr) {
    TWOFOLD_INDEPENDENT
    for (int64_t i = 0; i < n; ++i) y[i] = (x[i] - shift) * scale * weight[i];
  } else {
    TWOFOLD_INDEPENDENT
    for (int64_t i = 0; i < n; ++i) y[i] = (x[i] - shift) * scale * weight[i] + bias[i];
  }
}

void column_sum_loop(RowSum what, const float* x, const float* shift, double* accumulator, int64_t n) {
  with_term(what, [&](const auto& term) HWY_ATTR {
    if (shift == nullptr) {
      TWOFOLD_INDEPENDENT
      for (int64_t i = 0; i < n; ++i) accumulator[i] += term(x[i], 0.0F);
    } else {
      TWOFOLD_INDEPENDENT
      for (int64_t i = 0; i < n; ++i) accumulator[i] += term(x[i], shift[i]);
    }
  });
}

void column_max_loop(const float* x, float* accumulator, int64_t n) {
  TWOFOLD_INDEPENDENT
  for (int64_t i = 0; i < n; ++i) accumulator[i] = max_of(accumulator[i], x[i]);
}

void column_min_loop(const float* x, float* accumulator, int64_t n) {
  TWOFOLD_INDEPENDENT
  for (int64_t i = 0; i < n; ++i) accumulator[i] = min_of(accumulator[i], x[i]);
}

void column_exp_loop(const float* x, const float* shift, float* y, double* accumulator, int64_t n) {
  TWOFOLD_INDEPENDENT
  for (int64_t i = 0; i < n; ++i) {
    y[i] = math::exp_nonpositive(x[i] - shift[i]);
    accumulator[i] += y[i];
  }
}

void column_scale_loop(const float* x, const float* scale, float* y, int64_t n) {
  TWOFOLD_INDEPENDENT
  for (int64_t i = 0; i < n; ++i) y[i] = x[i] * scale[i];
}

void column_affine_loop(const float* x, const float* scale, const float* bias, float* y, int64_t n) {
  TWOFOLD_INDEPENDENT
  for (int64_t i = 0; i < n; ++i) y[i] = x[i] * scale[i] + bias[i];
}

void row_affine_loop(const float* x, float scale, float bias, float* y, int64_t n) {
  TWOFOLD_INDEPENDENT
  for (int64_t i = 0; i < n; ++i) y[i] = x[i] * scale + bias;
}

}  // namespace HWY_NAMESPACE
}  // namespace twofold
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace twofold {

HWY_EXPORT(row_sum_loop);
HWY_EXPORT(row_max_loop);
HWY_EXPORT(row_min_loop);
HWY_EXPORT(row_exp_loop);
HWY_EXPORT(row_normalize_loop);
HWY_EXPORT(column_sum_loop);
HWY_EXPORT(column_max_loop);
HWY_EXPORT(column_min_loop);
HWY_EXPORT(column_exp_loop);
HWY_EXPORT(column_scale_loop);
HWY_EXPORT(column_affine_loop);
HWY_EXPORT(row_affine_loop);

double row_sum(RowSum what, const float* x, int64_t n, float shift) {
  return HWY_DYNAMIC_DISPATCH(row_sum_loop)(what, x, n, shift);
}
float row_max(const float* x, int64_t n) { return HWY_DYNAMIC_DISPATCH(row_max_loop)(x, n); }
float row_min(const float* x, int64_t n) { return HWY_DYNAMIC_DISPATCH(row_min_loop)(x, n); }
double row_exp(const float* x, float shift, float* y, int64_t n) {
  return HWY_DYNAMIC_DISPATCH(row_exp_loop)(x, shift, y, n);
}
void row_normalize(const float* x, float shift, float scale, const float* weight, const float* bias, float* y,
                   int64_t n) {
  HWY_DYNAMIC_DISPATCH(row_normalize_loop)(x, shift, scale, weight, bias, y, n);
}
void column_sum(RowSum what, const float* x, const float* shift, double* accumulator, int64_t n) {
  HWY_DYNAMIC_DISPATCH(column_sum_loop)(what, x, shift, accumulator, n);
}
void column_max(const float* x, float* accumulator, int64_t n) {
  HWY_DYNAMIC_DISPATCH(column_max_loop)(x, accumulator, n);
}
void column_min(const float* x, float* accumulator, int64_t n) {
  HWY_DYNAMIC_DISPATCH(column_min_loop)(x, accumulator, n);
}
void column_exp(const float* x, const float* shift, float* y, double* accumulator, int64_t n) {
  HWY_DYNAMIC_DISPATCH(column_exp_loop)(x, shift, y, accumulator, n);
}
void column_scale(const float* x, const float* scale, float* y, int64_t n) {
  HWY_DYNAMIC_DISPATCH(column_scale_loop)(x, scale, y, n);
}
void column_affine(const float* x, const float* scale, const float* bias, float* y, int64_t n) {
  HWY_DYNAMIC_DISPATCH(column_affine_loop)(x, scale, bias, y, n);
}
void row_affine(const float* x, float scale, float bias, float* y, int64_t n) {
  HWY_DYNAMIC_DISPATCH(row_affine_loop)(x, scale, bias, y, n);
}

}  // namespace twofold
#endif
