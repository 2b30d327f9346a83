// The matrix product as a plain loop, for element types and strides that oneDNN does not take.
#ifndef TWOFOLD_SRC_LOOPS_MATMUL_LOOP_H_
#define TWOFOLD_SRC_LOOPS_MATMUL_LOOP_H_

#include <cstdint>
#include <type_traits>

namespace twofold {

template <typename T>
struct StridedMatrix {
  const T* data;
  int64_t row_stride, column_stride;
  T at(int64_t row, int64_t column) const { return data[row * row_stride + column * column_stride]; }
};

template <typename T, bool kIsInteger = std::is_integral_v<T>>
struct WrappingSum {
  using Type = T;
};
template <typename T>
struct WrappingSum<T, true> {
  using Type = std::make_unsigned_t<T>;  // integers wrap, as they do in NumPy
};

// y[m,n] = a[m,k] * b[k,n], summed in the order of k. T: float, double or an integer of at least 32 bits.
template <typename T>
void multiply_loop(int64_t m, int64_t n, int64_t k, const StridedMatrix<T>& a, const StridedMatrix<T>& b, T* y,
                   int64_t row_stride, int64_t column_stride) {
  using Sum = typename WrappingSum<T>::Type;
  for (int64_t i = 0; i < m; ++i) {
    for (int64_t j = 0; j < n; ++j) {
      Sum sum = 0;
      for (int64_t l = 0; l < k; ++l) sum += static_cast<Sum>(a.at(i, l)) * static_cast<Sum>(b.at(l, j));
      y[i * row_stride + j * column_stride] = static_cast<T>(sum);
    }
  }
}

}  // namespace twofold

#endif  // TWOFOLD_SRC_LOOPS_MATMUL_LOOP_H_
