// What IntegerConv, IntegerConvTranspose, IntegerMatMul and IntegerGemm of domain "twofold" have in common: lowering
// makes them of DequantizeLinear -> op -> QuantizeLinear, and they run on the kernels of src/kernels, exactly
// (docs/numerics.md, rules 4 and 5).
//
// Inputs: a, b (8- or 16-bit integers), bias (int64, constant, optional). Attributes: those of the float operator, and
//   a_dtype, a_scale, a_zero_point; b_scale (one, or one per output channel), b_zero_point;
//   per output y_dtype, y_scale, y_zero_point, y_low, y_high (lists).
#ifndef TWOFOLD_SRC_OPS_INTEGER_PRODUCT_H_
#define TWOFOLD_SRC_OPS_INTEGER_PRODUCT_H_

#include <cstdint>
#include <vector>

#include "kernels/epilogue.h"
#include "kernels/packed_b.h"
#include "ops/op.h"

namespace twofold {

// The node, read. An immutable value.
struct IntegerProduct {
  explicit IntegerProduct(const KernelArgs& args);

  DType a_dtype;
  float a_scale;
  int32_t a_zero_point, b_zero_point;
  std::vector<float> b_scale;
  std::vector<int64_t> bias;  // in units of a_scale * b_scale; empty: none

  struct Output {
    DType dtype;
    float scale;
    int32_t zero_point, low, high;
  };
  std::vector<Output> outputs;

  // A view of B as a [rows, columns] matrix; its strides in elements.
  kernels::MatrixView view_b(const Tensor& b, int64_t offset, int64_t rows, int64_t columns, int64_t row_stride,
                             int64_t column_stride) const;
  kernels::MatrixView view_a(const Tensor& a, int64_t offset, int64_t rows, int64_t columns, int64_t row_stride,
                             int64_t column_stride) const;
  kernels::PackedB pack(const kernels::MatrixView& b) const { return {b, a_dtype, a_zero_point}; }
  // The epilogue of output channels [first, first + b.columns()) of `channels`.
  // Throws Error(kInvalidModel) where bias or scales have another number of channels.
  kernels::Epilogue epilogue(const kernels::PackedB& b, int64_t first, int64_t channels) const;
};

// B and its epilogue, ready to be multiplied.
struct PreparedProduct {
  PreparedProduct(const IntegerProduct& product, const kernels::MatrixView& b, int64_t first, int64_t channels)
      : b(product.pack(b)), epilogue(product.epilogue(this->b, first, channels)) {}

  kernels::PackedB b;
  kernels::Epilogue epilogue;
};

}  // namespace twofold

#endif  // TWOFOLD_SRC_OPS_INTEGER_PRODUCT_H_
