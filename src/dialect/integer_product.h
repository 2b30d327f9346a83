// What IntegerConv, IntegerConvTranspose, IntegerMatMul and IntegerGemm of domain "twofold" have in common: lowering
// makes them of DequantizeLinear -> op -> QuantizeLinear, and they run on the kernels of src/kernels, exactly
// (docs/numerics.md, rules 4 and 5).
//
// Inputs: a, b (8- or 16-bit integers), bias (int64, constant, optional), operands of the float program. Attributes:
// those of the float operator, and
//   a_dtype, a_scale, a_zero_point; b_scale (one, or one per output channel), b_zero_point;
//   where ec operands are to run in passes, which ones are (ec_product.h);
//   the forms of outputs that are requantized accumulators, prefix kProductOutputs; or
//   a float program (float_program.h) that makes the outputs of float32(acc * a_scale * b_scale), or of requantized
//   accumulators of the one form with prefix kProgramSource.
#ifndef TWOFOLD_SRC_DIALECT_INTEGER_PRODUCT_H_
#define TWOFOLD_SRC_DIALECT_INTEGER_PRODUCT_H_

#include <cstdint>
#include <vector>

#include "dialect/float_program.h"
#include "kernels/matrix_view.h"
#include "kernels/requantizer.h"
#include "ops/op.h"

namespace twofold {

// OpDef::channels_last of convolutions: all inputs but weights and bias.
inline constexpr uint32_t kActivations = ~uint32_t{0b110};

// The node, read. An immutable value.
struct IntegerProduct {
  explicit IntegerProduct(const KernelArgs& args);

  DType a_dtype;
  float a_scale;
  int32_t a_zero_point, b_zero_point;
  std::vector<float> b_scale;
  std::vector<int64_t> bias;  // in units of a_scale * b_scale; empty: none

  // Of the accumulators: with a program, the one that it begins with. float64: the accumulators themselves.
  std::vector<StoredForm> outputs;
  FloatProgram program;  // without outputs: none

  std::vector<kernels::OutputForm> output_forms;  // of `outputs`, with a multiplier per element of b_scale

  // Throws Error(kInvalidModel) if the bias is not for one channel (for all) or `channels`.
  void check_channels(int64_t channels) const;
  // The operands' elements from `offset` on as a matrix, strides in elements.
  // Throws Error(kInvalidModel) if the tensor has not the type that the node was made for.
  kernels::MatrixView view_a(const Tensor& a, int64_t offset, int64_t rows, int64_t columns, int64_t row_stride,
                             int64_t column_stride) const;
  kernels::MatrixView view_b(const Tensor& b, int64_t offset, int64_t rows, int64_t columns, int64_t row_stride,
                             int64_t column_stride) const;
};

}  // namespace twofold

#endif  // TWOFOLD_SRC_DIALECT_INTEGER_PRODUCT_H_
