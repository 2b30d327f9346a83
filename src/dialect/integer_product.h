// What the kernels of the products (product_node.h) have in common.
#ifndef TWOFOLD_SRC_DIALECT_INTEGER_PRODUCT_H_
#define TWOFOLD_SRC_DIALECT_INTEGER_PRODUCT_H_

#include <cstdint>
#include <vector>

#include "dialect/product_node.h"
#include "kernels/matrix_view.h"
#include "kernels/requantizer.h"
#include "ops/op.h"

namespace twofold {

// OpDef::channels_last of convolutions: all inputs but weights and bias.
inline constexpr uint32_t kActivations = ~uint32_t{0b110};

// The node, read, and its bias. An immutable value.
struct IntegerProduct {
  // Throws as ProductNode::read does, and Error(kInvalidModel) for a bias that is no constant of int64.
  explicit IntegerProduct(const KernelArgs& args);

  ProductNode node;
  std::vector<int64_t> bias;                      // in units of a_scale * b_scale; empty: none
  std::vector<kernels::OutputForm> output_forms;  // of node.outputs, with a multiplier per element of b_scale

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
