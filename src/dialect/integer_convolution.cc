#include "dialect/integer_convolution.h"

#include <algorithm>

namespace twofold {

kernels::Conv pack_conv(const IntegerProduct& product, const Tensor& weights, int64_t group, Allocator* allocator) {
  const kernels::MatrixView view = product.view_b(weights, 0, 0, 0, 0, 0);
  std::array<int64_t, 3> kernel = {1, 1, 1};
  std::copy(weights.shape().begin() + 2, weights.shape().end(), kernel.end() - (weights.rank() - 2));
  return {{view.dtype, view.data, weights.dim(0), weights.dim(1), kernel, group, view.zero_point},
          product.node.a_dtype,
          product.node.a_zero_point,
          product.bias,
          product.output_forms,
          allocator};
}

void run_conv(const IntegerProduct& product, const kernels::Conv& conv, const Tensor& x,
              const std::array<kernels::ConvAxis, 3>& axes, const ProductOutputs& outputs) {
  const kernels::MatrixView view = product.view_a(x, 0, 0, 0, 0, 0);
  const kernels::ConvInput input{view.dtype, view.data,      x.dim(0), {x.shape().begin() + 2, x.shape().end()},
                                 x.dim(1),   view.zero_point};
  conv.run(input, axes, outputs.places(0), outputs.sink());
}

}  // namespace twofold
