// What IntegerConv and IntegerConvTranspose (integer_product.h) share: the way to the kernel.
#ifndef TWOFOLD_SRC_DIALECT_INTEGER_CONVOLUTION_H_
#define TWOFOLD_SRC_DIALECT_INTEGER_CONVOLUTION_H_

#include <array>

#include "dialect/integer_product.h"
#include "dialect/product_outputs.h"
#include "kernels/conv.h"

namespace twofold {

// Weights [M,C/group,kernel...] of 1 to 3 spatial dimensions, packed for the product's inputs. Memory comes from
// `allocator`, which must outlive the result, or from the heap without one.
// Throws Error(kInvalidModel) if they are not of an integer type that products take. REQUIRES: M % group is 0.
kernels::Conv pack_conv(const IntegerProduct& product, const Tensor& weights, int64_t group, Allocator* allocator);

// Convolves x [N,C,spatial...], in channels-last layout, into the outputs; `axes` are those of the kernel over x.
// Throws Error(kInvalidModel) if x has not the type that the node was made for.
void run_conv(const IntegerProduct& product, const kernels::Conv& conv, const Tensor& x,
              const std::array<kernels::ConvAxis, 3>& axes, const ProductOutputs& outputs);

}  // namespace twofold

#endif  // TWOFOLD_SRC_DIALECT_INTEGER_CONVOLUTION_H_
