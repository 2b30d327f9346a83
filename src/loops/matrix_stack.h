// Tensors seen as stacks of matrices with strides: the shape rules of MatMul, transpositions included.
#ifndef TWOFOLD_SRC_LOOPS_MATRIX_STACK_H_
#define TWOFOLD_SRC_LOOPS_MATRIX_STACK_H_

#include <algorithm>
#include <cstdint>
#include <vector>

#include "base/parallel_for.h"
#include "twofold/tensor.h"

namespace twofold {

// Element strides per dimension; the last two dimensions are the matrix.
struct MatrixStack {
  Shape shape;
  std::vector<int64_t> strides;

  int64_t rows() const { return shape[shape.size() - 2]; }
  int64_t columns() const { return shape.back(); }
  int64_t row_stride() const { return strides[strides.size() - 2]; }
  int64_t column_stride() const { return strides.back(); }
};

// One product of two stacks of matrices, [..., m, k] by [..., k, n].
struct MatrixProduct {
  MatrixStack a, b, y;  // of one rank: vectors made matrices, batch dimensions broadcast with stride 0
  Shape output;         // the node's: without the dimensions that vectors were given
  int64_t m = 0, n = 0, k = 0;
  int64_t batches = 1;

  struct Offsets {
    int64_t a, b, y;
  };
  // Where the matrices of product `i` begin, in elements.
  Offsets offsets(int64_t i) const;
};

// Orders that Transpose would apply to A and B before the product and to Y after it; an empty one changes nothing.
struct MatrixOrders {
  std::vector<int64_t> a, b, y;
};

// Those of a Gemm.
MatrixOrders gemm_orders(bool transposed_a, bool transposed_b);

// Throws Error(kInvalidModel) where the shapes do not fit (NumPy's matmul rules).
MatrixProduct plan_product(const Shape& a, const Shape& b, const MatrixOrders& orders = {});

// Calls body with the offsets of each product, in parallel where there are many.
template <typename Body>
void for_each_product(const MatrixProduct& p, const Body& body) {
  constexpr int64_t kLeastWork = 1 << 15;
  const int64_t work = std::max<int64_t>(1, p.m * p.n * std::max<int64_t>(1, p.k));
  parallel_for(p.batches, std::max<int64_t>(1, kLeastWork / work), [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) body(p.offsets(i));
  });
}

}  // namespace twofold

#endif  // TWOFOLD_SRC_LOOPS_MATRIX_STACK_H_
