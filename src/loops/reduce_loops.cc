#include "loops/reduce_loops.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <type_traits>
#include <vector>

#include "base/check.h"
#include "base/error.h"
#include "base/parallel_for.h"
#include "loops/row_loops.h"
#include "numeric/math.h"

namespace twofold {

namespace {

constexpr int64_t kGrain = 1 << 14;
constexpr int64_t kColumns = 256;

RowSum term_of(ReduceOp op) {
  switch (op) {
    case ReduceOp::kL1: return RowSum::kAbs;
    case ReduceOp::kL2:
    case ReduceOp::kSumSquare: return RowSum::kSquare;
    default: return RowSum::kPlain;
  }
}

// From the sum over `count` terms to the result.
double finish(ReduceOp op, double sum, int64_t count) {
  switch (op) {
    case ReduceOp::kMean: return sum / static_cast<double>(count);
    case ReduceOp::kL2: return std::sqrt(sum);
    case ReduceOp::kLogSum: return math::core::log(sum);
    default: return sum;
  }
}

// log(sum e^x) given max x and sum e^(x - shift), where shift is max x, or 0 where that is infinite.
float log_sum_exp(float max, double sum) {
  return std::isfinite(max) ? static_cast<float>(max + math::core::log(sum)) : max;
}
float finite_or_zero(float x) { return std::isfinite(x) ? x : 0.0F; }

float reduce_row(ReduceOp op, const float* x, int64_t n) {
  switch (op) {
    case ReduceOp::kMax: return row_max(x, n);
    case ReduceOp::kMin: return row_min(x, n);
    case ReduceOp::kProd: {
      double product = 1;
      for (int64_t i = 0; i < n; ++i) product *= x[i];
      return static_cast<float>(product);
    }
    case ReduceOp::kLogSumExp: {
      const float max = row_max(x, n);
      return log_sum_exp(max, row_sum(RowSum::kExpShifted, x, n, finite_or_zero(max)));
    }
    default: return static_cast<float>(finish(op, row_sum(term_of(op), x, n), n));
  }
}

void extreme_columns(ReduceOp op, const float* x, int64_t rows, int64_t stride, float* out, int64_t n) {
  constexpr float kInf = std::numeric_limits<float>::infinity();
  std::fill_n(out, n, op == ReduceOp::kMin ? kInf : -kInf);
  for (int64_t r = 0; r < rows; ++r) {
    op == ReduceOp::kMin ? column_min(x + r * stride, out, n) : column_max(x + r * stride, out, n);
  }
}

// n <= kColumns columns of `rows` rows that lie `stride` apart.
void reduce_columns(ReduceOp op, const float* x, int64_t rows, int64_t stride, float* out, int64_t n) {
  if (op == ReduceOp::kMax || op == ReduceOp::kMin) return extreme_columns(op, x, rows, stride, out, n);
  double sum[kColumns];
  std::fill_n(sum, n, op == ReduceOp::kProd ? 1.0 : 0.0);
  if (op == ReduceOp::kProd) {
    for (int64_t r = 0; r < rows; ++r) {
      for (int64_t i = 0; i < n; ++i) sum[i] *= x[r * stride + i];
    }
  } else if (op == ReduceOp::kLogSumExp) {
    extreme_columns(ReduceOp::kMax, x, rows, stride, out, n);
    float shift[kColumns];
    for (int64_t i = 0; i < n; ++i) shift[i] = finite_or_zero(out[i]);
    for (int64_t r = 0; r < rows; ++r) column_sum(RowSum::kExpShifted, x + r * stride, shift, sum, n);
    for (int64_t i = 0; i < n; ++i) out[i] = log_sum_exp(out[i], sum[i]);
    return;
  } else {
    for (int64_t r = 0; r < rows; ++r) column_sum(term_of(op), x + r * stride, nullptr, sum, n);
  }
  for (int64_t i = 0; i < n; ++i) out[i] = static_cast<float>(finish(op, sum[i], rows));
}

void reduce_floats(ReduceOp op, const AxisSplit& split, const float* in, float* out) {
  const int64_t work = std::max<int64_t>(split.axis, 1);
  if (split.inner == 1) {
    parallel_for(split.outer, std::max<int64_t>(1, kGrain / work), [&](int64_t begin, int64_t end) {
      for (int64_t o = begin; o < end; ++o) out[o] = reduce_row(op, in + o * split.axis, split.axis);
    });
    return;
  }
  const int64_t blocks = (split.inner + kColumns - 1) / kColumns;
  const int64_t block_work = work * std::min(split.inner, kColumns);
  parallel_for(split.outer * blocks, std::max<int64_t>(1, kGrain / block_work), [&](int64_t begin, int64_t end) {
    for (int64_t b = begin; b < end; ++b) {
      const int64_t o = b / blocks, first = b % blocks * kColumns;
      reduce_columns(op, in + o * split.axis * split.inner + first, split.axis, split.inner,
                     out + o * split.inner + first, std::min(kColumns, split.inner - first));
    }
  });
}

// Truncates and saturates where T is an integer; logarithms may be infinite.
template <typename T>
T from_real(double x) {
  if constexpr (std::is_integral_v<T>) {
    constexpr double kEnd = 2.0 * static_cast<double>(std::numeric_limits<T>::max() / 2 + 1);
    if (!(x > static_cast<double>(std::numeric_limits<T>::min()))) return std::numeric_limits<T>::min();
    return x >= kEnd ? std::numeric_limits<T>::max() : static_cast<T>(x);
  } else {
    return x;
  }
}

// One element of the result from elements `stride` apart; Sum is double, or the unsigned integer that wraps.
template <typename T>
T reduce_strided(ReduceOp op, const T* x, int64_t n, int64_t stride) {
  using Sum = std::conditional_t<std::is_integral_v<T>, uint64_t, double>;
  const auto accumulate = [&](Sum start, const auto& add) {
    for (int64_t i = 0; i < n; ++i) start = add(start, static_cast<Sum>(x[i * stride]));
    return start;
  };
  const auto real = [&](const auto& add) {
    double sum = 0;
    for (int64_t i = 0; i < n; ++i) sum += add(static_cast<double>(x[i * stride]));
    return sum;
  };
  switch (op) {
    case ReduceOp::kSum: return static_cast<T>(accumulate(0, [](Sum a, Sum v) { return a + v; }));
    case ReduceOp::kProd: return static_cast<T>(accumulate(1, [](Sum a, Sum v) { return a * v; }));
    case ReduceOp::kSumSquare: return static_cast<T>(accumulate(0, [](Sum a, Sum v) { return a + v * v; }));
    case ReduceOp::kMax:
    case ReduceOp::kMin: {
      using Limits = std::numeric_limits<T>;
      const bool max = op == ReduceOp::kMax;
      T best = max ? (Limits::has_infinity ? -Limits::infinity() : Limits::lowest())
                   : (Limits::has_infinity ? Limits::infinity() : Limits::max());
      for (int64_t i = 0; i < n; ++i) {
        const T v = x[i * stride];
        if (v != v || (max ? v > best : v < best)) best = v;
      }
      return best;
    }
    case ReduceOp::kL1: return from_real<T>(real([](double v) { return std::fabs(v); }));
    case ReduceOp::kL2: return from_real<T>(std::sqrt(real([](double v) { return v * v; })));
    case ReduceOp::kMean:
      if constexpr (std::is_integral_v<T>) {
        if (n == 0) throw_error(ErrorCode::kInvalidArgument, "the mean of no integers is not defined");
        using Wide = std::conditional_t<std::is_signed_v<T>, int64_t, uint64_t>;
        return static_cast<T>(static_cast<Wide>(accumulate(0, [](Sum a, Sum v) { return a + v; })) /
                              static_cast<Wide>(n));
      } else {
        return real([](double v) { return v; }) / static_cast<double>(n);
      }
    case ReduceOp::kLogSum: return from_real<T>(math::core::log(real([](double v) { return v; })));
    case ReduceOp::kLogSumExp: {
      const auto max = static_cast<double>(reduce_strided(ReduceOp::kMax, x, n, stride));
      if (n == 0 || !std::isfinite(max)) return from_real<T>(n == 0 ? -math::core::kInf : max);
      const double sum = real([=](double v) { return math::core::exp(math::core::clamp(v - max, -700.0, 0.0)); });
      return from_real<T>(max + math::core::log(sum));
    }
  }
  TWOFOLD_CHECK(false);
}

}  // namespace

template <typename T>
void reduce(ReduceOp op, const AxisSplit& split, const T* in, T* out) {
  if constexpr (std::is_same_v<T, float>) {
    reduce_floats(op, split, in, out);
  } else {
    for (int64_t o = 0; o < split.outer; ++o) {
      for (int64_t i = 0; i < split.inner; ++i) {
        out[o * split.inner + i] = reduce_strided(op, in + o * split.axis * split.inner + i, split.axis, split.inner);
      }
    }
  }
}

template void reduce<float>(ReduceOp, const AxisSplit&, const float*, float*);
template void reduce<double>(ReduceOp, const AxisSplit&, const double*, double*);
template void reduce<int8_t>(ReduceOp, const AxisSplit&, const int8_t*, int8_t*);
template void reduce<uint8_t>(ReduceOp, const AxisSplit&, const uint8_t*, uint8_t*);
template void reduce<int16_t>(ReduceOp, const AxisSplit&, const int16_t*, int16_t*);
template void reduce<uint16_t>(ReduceOp, const AxisSplit&, const uint16_t*, uint16_t*);
template void reduce<int32_t>(ReduceOp, const AxisSplit&, const int32_t*, int32_t*);
template void reduce<uint32_t>(ReduceOp, const AxisSplit&, const uint32_t*, uint32_t*);
template void reduce<int64_t>(ReduceOp, const AxisSplit&, const int64_t*, int64_t*);
template void reduce<uint64_t>(ReduceOp, const AxisSplit&, const uint64_t*, uint64_t*);

}  // namespace twofold
