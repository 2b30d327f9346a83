// MatMul and Gemm.
#include <numeric>

#include "gradients/families.h"
#include "gradients/unbroadcast.h"
#include "traits/op_names.h"

namespace twofold {

namespace {

// The last two dimensions exchanged.
Term transposed(Term a, size_t rank) {
  std::vector<int64_t> order(rank);
  std::iota(order.begin(), order.end(), int64_t{0});
  std::swap(order[rank - 1], order[rank - 2]);
  return transpose(a, order);
}

// One operand of a MatMul, or its result, as matrices.
struct Matrices {
  Term term;
  Shape shape;
};

void matmul_rule(RuleCall& call) {
  // ONNX takes a vector for a row on the left and for a column on the right.
  Matrices a{call.x(0), call.x_shape(0)}, b{call.x(1), call.x_shape(1)}, dy{call.dy(), call.y_shape()};
  const bool row = a.shape.size() == 1, column = b.shape.size() == 1;
  if (row) a.shape.insert(a.shape.begin(), 1);
  if (column) b.shape.push_back(1);
  if (row) dy.shape.insert(dy.shape.end() - (column ? 0 : 1), 1);
  if (column) dy.shape.push_back(1);
  if (row) a.term = reshape(a.term, a.shape);
  if (column) b.term = reshape(b.term, b.shape);
  if (row || column) dy.term = reshape(dy.term, dy.shape);

  const auto add = [&](int i, Term product, const Shape& matrix) {
    Shape full(dy.shape.begin(), dy.shape.end() - 2);
    full.insert(full.end(), matrix.end() - 2, matrix.end());
    const Term sum = unbroadcast(product, full, matrix);
    call.add(i, matrix == call.x_shape(i) ? sum : reshape(sum, call.x_shape(i)));
  };
  if (call.wants(0)) add(0, matmul(dy.term, transposed(b.term, b.shape.size())), a.shape);
  if (call.wants(1)) add(1, matmul(transposed(a.term, a.shape.size()), dy.term), b.shape);
}

// y = alpha * A * B + beta * C, either of A and B transposed or not.
void gemm(RuleCall& call) {
  const auto flag = [&](const char* name) { return call.attributes().get_int(name, 0) != 0; };
  const bool flip_a = flag("transA"), flip_b = flag("transB");
  const float alpha = call.attributes().get_float("alpha", 1.0F), beta = call.attributes().get_float("beta", 1.0F);
  const auto product = [&](Term left, bool flip_left, Term right, bool flip_right) {
    return call.backward().node(
        op::kGemm, {left, right},
        {{"alpha", alpha}, {"transA", static_cast<int64_t>(flip_left)}, {"transB", static_cast<int64_t>(flip_right)}});
  };
  const Term dy = call.dy();
  if (call.wants(0))
    call.add(0, flip_a ? product(call.x(1), flip_b, dy, true) : product(dy, false, call.x(1), !flip_b));
  if (call.wants(1))
    call.add(1, flip_b ? product(dy, true, call.x(0), flip_a) : product(call.x(0), !flip_a, dy, false));
  if (call.wants(2)) call.add_broadcast(2, dy * beta);
}

constexpr RuleDef kRules[] = {
    {op::kGemm, gemm},
    {op::kMatMul, matmul_rule},
};

}  // namespace

std::span<const RuleDef> matmul_gradients() { return kRules; }

}  // namespace twofold
