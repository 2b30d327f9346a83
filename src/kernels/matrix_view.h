// A matrix of integers that lies in memory that someone else owns.
#ifndef TWOFOLD_SRC_KERNELS_MATRIX_VIEW_H_
#define TWOFOLD_SRC_KERNELS_MATRIX_VIEW_H_

#include <cstdint>

#include "twofold/dtype.h"

namespace twofold::kernels {

// Element (r, c) stands `r * row_stride + c * column_stride` elements behind `data` and means its value - zero_point.
// A transposed matrix is one with the strides exchanged.
struct MatrixView {
  DType dtype = DType::kInt8;  // int8, uint8, int16 or uint16
  const void* data = nullptr;
  int64_t rows = 0, columns = 0;
  int64_t row_stride = 0, column_stride = 1;
  int32_t zero_point = 0;
};

}  // namespace twofold::kernels

#endif  // TWOFOLD_SRC_KERNELS_MATRIX_VIEW_H_
