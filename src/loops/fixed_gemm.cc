#include "loops/fixed_gemm.h"

#include <algorithm>
#include <type_traits>

#include "base/parallel_for.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "loops/fixed_gemm.cc"
#include "hwy/foreach_target.h"
// After foreach_target.h.
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace twofold {
namespace HWY_NAMESPACE {

// A tile of c, small enough that its sums stay in registers. Constant bounds, and so many columns, let the compiler see
// vectors in the innermost loop.
template <int64_t kRows, int64_t kColumns, typename T>
void tile(int64_t n, int64_t k, const T* HWY_RESTRICT a, const T* HWY_RESTRICT b, T* HWY_RESTRICT c) {
  T sum[kRows][kColumns] = {};
  for (int64_t p = 0; p < k; ++p) {
    for (int64_t i = 0; i < kRows; ++i) {
      const T x = a[i * k + p];
      for (int64_t j = 0; j < kColumns; ++j) sum[i][j] += x * b[p * n + j];
    }
  }
  for (int64_t i = 0; i < kRows; ++i) std::copy_n(sum[i], kColumns, c + i * n);
}

// The columns that are left, fewer than kColumns.
template <int64_t kRows, int64_t kColumns, typename T>
void edge(int64_t columns, int64_t n, int64_t k, const T* HWY_RESTRICT a, const T* HWY_RESTRICT b, T* HWY_RESTRICT c) {
  T sum[kRows][kColumns] = {};
  for (int64_t p = 0; p < k; ++p) {
    for (int64_t i = 0; i < kRows; ++i) {
      const T x = a[i * k + p];
      for (int64_t j = 0; j < columns; ++j) sum[i][j] += x * b[p * n + j];
    }
  }
  for (int64_t i = 0; i < kRows; ++i) std::copy_n(sum[i], columns, c + i * n);
}

template <int64_t kRows, int64_t kColumns, typename T>
void strip(int64_t n, int64_t k, const T* a, const T* b, T* c) {
  int64_t j = 0;
  for (; j + kColumns <= n; j += kColumns) tile<kRows, kColumns>(n, k, a, b + j, c + j);
  if (j < n) edge<kRows, kColumns>(n - j, n, k, a, b + j, c + j);
}

template <typename T>
void rows_of(int64_t rows, int64_t n, int64_t k, const T* a, const T* b, T* c) {
  int64_t i = 0;
  for (; i + 4 <= rows; i += 4) strip<4, 32>(n, k, a + i * k, b, c + i * n);
  for (; i < rows; ++i) strip<1, 64>(n, k, a + i * k, b, c + i * n);
}

void rows_float(int64_t rows, int64_t n, int64_t k, const float* a, const float* b, float* c) {
  rows_of(rows, n, k, a, b, c);
}
void rows_double(int64_t rows, int64_t n, int64_t k, const double* a, const double* b, double* c) {
  rows_of(rows, n, k, a, b, c);
}
void rows_word32(int64_t rows, int64_t n, int64_t k, const uint32_t* a, const uint32_t* b, uint32_t* c) {
  rows_of(rows, n, k, a, b, c);
}
void rows_word64(int64_t rows, int64_t n, int64_t k, const uint64_t* a, const uint64_t* b, uint64_t* c) {
  rows_of(rows, n, k, a, b, c);
}

}  // namespace HWY_NAMESPACE
}  // namespace twofold
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace twofold {

namespace {

HWY_EXPORT(rows_float);
HWY_EXPORT(rows_double);
HWY_EXPORT(rows_word32);
HWY_EXPORT(rows_word64);

}  // namespace

template <typename T>
void fixed_gemm(int64_t m, int64_t n, int64_t k, const T* a, const T* b, T* c) {
  const int64_t grain = std::max<int64_t>(4, (1 << 16) / std::max<int64_t>(1, n * std::max<int64_t>(k, 1)));
  parallel_for(m, grain, [&](int64_t begin, int64_t end) {
    const int64_t rows = end - begin;
    const T* from = a + begin * k;
    T* to = c + begin * n;
    if constexpr (std::is_same_v<T, float>) {
      HWY_DYNAMIC_DISPATCH(rows_float)(rows, n, k, from, b, to);
    } else if constexpr (std::is_same_v<T, double>) {
      HWY_DYNAMIC_DISPATCH(rows_double)(rows, n, k, from, b, to);
    } else if constexpr (sizeof(T) == 4) {
      HWY_DYNAMIC_DISPATCH(rows_word32)
      (rows, n, k, reinterpret_cast<const uint32_t*>(from), reinterpret_cast<const uint32_t*>(b),
       reinterpret_cast<uint32_t*>(to));
    } else {
      HWY_DYNAMIC_DISPATCH(rows_word64)
      (rows, n, k, reinterpret_cast<const uint64_t*>(from), reinterpret_cast<const uint64_t*>(b),
       reinterpret_cast<uint64_t*>(to));
    }
  });
}

template void fixed_gemm<float>(int64_t, int64_t, int64_t, const float*, const float*, float*);
template void fixed_gemm<double>(int64_t, int64_t, int64_t, const double*, const double*, double*);
template void fixed_gemm<int32_t>(int64_t, int64_t, int64_t, const int32_t*, const int32_t*, int32_t*);
template void fixed_gemm<int64_t>(int64_t, int64_t, int64_t, const int64_t*, const int64_t*, int64_t*);

}  // namespace twofold
#endif  // HWY_ONCE
