#include "loops/matrix_stack.h"

#include <algorithm>

#include "base/error.h"

namespace twofold {

namespace {

MatrixStack row_major(const Shape& shape) {
  MatrixStack stack{shape, std::vector<int64_t>(shape.size(), 1)};
  for (size_t i = shape.size() - 1; i-- > 0;) stack.strides[i] = stack.strides[i + 1] * shape[i + 1];
  return stack;
}

void check_order(const std::vector<int64_t>& order, const Shape& shape) {
  std::vector<bool> seen(shape.size(), false);
  bool valid = order.size() == shape.size();
  for (size_t i = 0; valid && i < order.size(); ++i) {
    valid = order[i] >= 0 && order[i] < static_cast<int64_t>(order.size()) && !seen[static_cast<size_t>(order[i])];
    if (valid) seen[static_cast<size_t>(order[i])] = true;
  }
  if (!valid) {
    throw_error(ErrorCode::kInvalidModel, "the order {} does not permute shape {}", to_string(order), to_string(shape));
  }
}

MatrixStack permuted(const MatrixStack& stack, const std::vector<int64_t>& order) {
  if (order.empty()) return stack;
  check_order(order, stack.shape);
  MatrixStack result = stack;
  for (size_t i = 0; i < order.size(); ++i) {
    result.shape[i] = stack.shape[static_cast<size_t>(order[i])];
    result.strides[i] = stack.strides[static_cast<size_t>(order[i])];
  }
  return result;
}

void broadcast(MatrixStack& stack, size_t rank) {
  const size_t missing = rank - stack.shape.size();
  stack.shape.insert(stack.shape.begin(), missing, 1);
  stack.strides.insert(stack.strides.begin(), missing, 0);
  for (size_t i = 0; i + 2 < rank; ++i) {
    if (stack.shape[i] == 1) stack.strides[i] = 0;
  }
}

// The row-major stack of the product, or the one whose transposition by `order` is row-major.
void place_output(const Shape& product, const std::vector<int64_t>& order, MatrixProduct& p) {
  p.y = row_major(product);
  p.output = product;
  if (order.empty()) return;
  check_order(order, product);
  for (size_t i = 0; i < order.size(); ++i) p.output[i] = product[static_cast<size_t>(order[i])];
  const MatrixStack memory = row_major(p.output);
  for (size_t i = 0; i < order.size(); ++i) p.y.strides[static_cast<size_t>(order[i])] = memory.strides[i];
}

}  // namespace

MatrixOrders gemm_orders(bool transposed_a, bool transposed_b) {
  MatrixOrders orders;
  if (transposed_a) orders.a = {1, 0};
  if (transposed_b) orders.b = {1, 0};
  return orders;
}

MatrixProduct plan_product(const Shape& a, const Shape& b, const MatrixOrders& orders) {
  const auto misfit = [&](const char* what) {
    throw_error(ErrorCode::kInvalidModel, "inputs A {} and B {} cannot be multiplied: {}", to_string(a), to_string(b),
                what);
  };
  if (a.empty() || b.empty()) misfit("scalars are not allowed");
  const bool vector_a = a.size() == 1, vector_b = b.size() == 1;
  MatrixProduct p;
  p.a = permuted(row_major(vector_a ? Shape{1, a[0]} : a), orders.a);
  p.b = permuted(row_major(vector_b ? Shape{b[0], 1} : b), orders.b);
  p.m = p.a.rows();
  p.k = p.a.columns();
  p.n = p.b.columns();
  if (p.b.rows() != p.k) misfit("the last dimension of A and the second last of B differ");
  const size_t rank = std::max(p.a.shape.size(), p.b.shape.size());
  broadcast(p.a, rank);
  broadcast(p.b, rank);
  Shape product(rank);
  for (size_t i = 0; i + 2 < rank; ++i) {
    const int64_t left = p.a.shape[i], right = p.b.shape[i];
    if (left != right && left != 1 && right != 1) misfit("their batch dimensions do not broadcast");
    product[i] = left == 1 ? right : left;
  }
  p.batches = num_elements(Shape(product.begin(), product.end() - 2));
  product[rank - 2] = p.m;
  product[rank - 1] = p.n;
  num_elements(product);  // throws if the product is too large
  place_output(product, orders.y, p);
  if (vector_b) p.output.pop_back();
  if (vector_a) p.output.erase(p.output.end() - (vector_b ? 1 : 2));
  return p;
}

MatrixProduct::Offsets MatrixProduct::offsets(int64_t i) const {
  Offsets at{0, 0, 0};
  for (size_t d = y.shape.size() - 2; d-- > 0;) {
    const int64_t index = i % y.shape[d];
    i /= y.shape[d];
    at.a += index * a.strides[d];
    at.b += index * b.strides[d];
    at.y += index * y.strides[d];
  }
  return at;
}

}  // namespace twofold
