// Loop-only accumulators of the integer operators: rule 4 of docs/numerics.md in executable form. Every faster kernel
// is tested against these for equality.
#ifndef TWOFOLD_SRC_OPS_REFERENCE_GEMM_H_
#define TWOFOLD_SRC_OPS_REFERENCE_GEMM_H_

#include <cstdint>
#include <vector>

#include "twofold/tensor.h"

namespace twofold {

// An operand: 8- or 16-bit integers and the zero point to subtract.
struct IntegerOperand {
  const Tensor& integers;
  int32_t zero_point = 0;
};

// Geometry of a convolution, as ONNX's attributes give it, one entry per spatial axis (pads: all begins, then all
// ends).
struct ConvGeometry {
  std::vector<int64_t> strides, dilations, pads, output_padding;
  int64_t group = 1;
};

// Exact sums, and the shape they have.
struct Accumulators {
  Shape shape;
  std::vector<int64_t> values;
};

// a [N,C,spatial...], b [M,C/group,kernel...] -> [N,M,out...]: sum of (a - za)(b - zb) over the taps inside a.
Accumulators reference_conv(const IntegerOperand& a, const IntegerOperand& b, const ConvGeometry& geometry);

// a [N,C,spatial...], b [C,M/group,kernel...] -> [N,M,out...].
Accumulators reference_conv_transpose(const IntegerOperand& a, const IntegerOperand& b, const ConvGeometry& geometry);

// a [batch..., M, K], b [batch..., K, N] -> [batch..., M, N]; batches broadcast as NumPy's do. REQUIRES: ranks >= 2.
Accumulators reference_matmul(const IntegerOperand& a, const IntegerOperand& b);

}  // namespace twofold

#endif  // TWOFOLD_SRC_OPS_REFERENCE_GEMM_H_
