// Where the result of an integer product goes: straight to its outputs, or block by block through a program.
#ifndef TWOFOLD_SRC_DIALECT_PRODUCT_OUTPUTS_H_
#define TWOFOLD_SRC_DIALECT_PRODUCT_OUTPUTS_H_

#include <memory>
#include <vector>

#include "dialect/integer_product.h"
#include "kernels/block_sink.h"
#include "kernels/gemm.h"

namespace twofold {

// One run of a product with result [rows, channels], rows being all dimensions but the channels in memory order.
class ProductOutputs {
 public:
  // Allocates the outputs of `call`. `shape` is the product's, and `channel_axis` that of its channels, -1 where it has
  // only one and no axis for it; `layout` kChannelsLast for convolutions. The operands of the program are the inputs of
  // the call from 3 on.
  ProductOutputs(const IntegerProduct& product, OpCall& call, const Shape& shape, int channel_axis, Layout layout);

  // For kernels::gemm, for the rows from `first_row` on.
  std::vector<kernels::OutputRows> places(int64_t first_row) const;
  const kernels::BlockSink* sink() const { return sink_.get(); }
  // To be called when all rows are there.
  void finish();

 private:
  const IntegerProduct& product_;
  OpCall& call_;
  int64_t channels_;
  std::vector<std::byte*> direct_;  // of the product's outputs
  std::unique_ptr<kernels::BlockSink> sink_;
  Tensor plain_;  // the product itself, where an operand broadcasts in a way that blocks cannot follow
};

// The same sink for a part of the rows.
class RowsOfSink final : public kernels::BlockSink {
 public:
  RowsOfSink(const kernels::BlockSink& whole, int64_t first_row) : whole_(whole), first_row_(first_row) {}
  void take(std::byte* block, int64_t row, int64_t rows, int64_t column, int64_t columns) const override {
    whole_.take(block, first_row_ + row, rows, column, columns);
  }

 private:
  const kernels::BlockSink& whole_;
  int64_t first_row_;
};

}  // namespace twofold

#endif  // TWOFOLD_SRC_DIALECT_PRODUCT_OUTPUTS_H_
