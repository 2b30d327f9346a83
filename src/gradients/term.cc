#include "gradients/term.h"

#include "gradients/backward_graph.h"
#include "traits/op_names.h"

namespace twofold {

namespace {

Term unary(const char* op_type, Term a) { return a.graph->node(op_type, {a}); }
Term binary(const char* op_type, Term a, Term b) { return a.graph->node(op_type, {a, b}); }
Term binary(const char* op_type, Term a, float b) { return a.graph->node(op_type, {a, a.graph->scalar(b)}); }
Term binary(const char* op_type, float a, Term b) { return b.graph->node(op_type, {b.graph->scalar(a), b}); }

}  // namespace

Term operator+(Term a, Term b) { return binary(op::kAdd, a, b); }
Term operator-(Term a, Term b) { return binary(op::kSub, a, b); }
Term operator*(Term a, Term b) { return binary(op::kMul, a, b); }
Term operator/(Term a, Term b) { return binary(op::kDiv, a, b); }
Term operator+(Term a, float b) { return binary(op::kAdd, a, b); }
Term operator+(float a, Term b) { return binary(op::kAdd, a, b); }
Term operator-(Term a, float b) { return binary(op::kSub, a, b); }
Term operator-(float a, Term b) { return binary(op::kSub, a, b); }
Term operator*(Term a, float b) { return binary(op::kMul, a, b); }
Term operator*(float a, Term b) { return binary(op::kMul, a, b); }
Term operator/(Term a, float b) { return binary(op::kDiv, a, b); }
Term operator/(float a, Term b) { return binary(op::kDiv, a, b); }
Term operator-(Term a) { return unary(op::kNeg, a); }

Term operator<(Term a, Term b) { return binary(op::kLess, a, b); }
Term operator<=(Term a, Term b) { return binary(op::kLessOrEqual, a, b); }
Term operator>(Term a, Term b) { return binary(op::kGreater, a, b); }
Term operator>=(Term a, Term b) { return binary(op::kGreaterOrEqual, a, b); }
Term operator<(Term a, float b) { return binary(op::kLess, a, b); }
Term operator<=(Term a, float b) { return binary(op::kLessOrEqual, a, b); }
Term operator>(Term a, float b) { return binary(op::kGreater, a, b); }
Term operator>=(Term a, float b) { return binary(op::kGreaterOrEqual, a, b); }
Term equal(Term a, Term b) { return binary(op::kEqual, a, b); }
Term equal(Term a, float b) { return binary(op::kEqual, a, b); }
Term both(Term a, Term b) { return binary(op::kAnd, a, b); }

Term where(Term condition, Term a, Term b) { return condition.graph->node(op::kWhere, {condition, a, b}); }
Term where(Term condition, Term a, float b) { return where(condition, a, condition.graph->scalar(b)); }
Term where(Term condition, float a, Term b) { return where(condition, condition.graph->scalar(a), b); }
Term where(Term condition, float a, float b) { return where(condition, condition.graph->scalar(a), b); }

Term abs(Term a) { return unary(op::kAbs, a); }
Term cos(Term a) { return unary(op::kCos, a); }
Term erf(Term a) { return unary(op::kErf, a); }
Term exp(Term a) { return unary(op::kExp, a); }
Term floor(Term a) { return unary(op::kFloor, a); }
Term log(Term a) { return unary(op::kLog, a); }
Term pow(Term a, Term b) { return binary(op::kPow, a, b); }
Term pow(Term a, float b) { return binary(op::kPow, a, b); }
Term reciprocal(Term a) { return unary(op::kReciprocal, a); }
Term sigmoid(Term a) { return unary(op::kSigmoid, a); }
Term sign(Term a) { return unary(op::kSign, a); }
Term sin(Term a) { return unary(op::kSin, a); }
Term softplus(Term a) { return unary(op::kSoftplus, a); }
Term sqrt(Term a) { return unary(op::kSqrt, a); }
Term tanh(Term a) { return unary(op::kTanh, a); }
Term square(Term a) { return a * a; }

// An empty list of axes would stand for all of them.
Term reduce_sum(Term a, const std::vector<int64_t>& axes) {
  return axes.empty() ? a : a.graph->node(op::kReduceSum, {a, a.graph->ints(axes)});
}
Term reduce_mean(Term a, const std::vector<int64_t>& axes) {
  return axes.empty() ? a : a.graph->node(op::kReduceMean, {a, a.graph->ints(axes)});
}

Term matmul(Term a, Term b) { return binary(op::kMatMul, a, b); }
// Empty dimensions are what the shape says, not copies of those that were.
Term reshape(Term a, const Shape& shape) {
  return a.graph->node(op::kReshape, {a, a.graph->ints(shape)}, {{"allowzero", int64_t{1}}});
}
Term expand(Term a, const Shape& shape) { return a.graph->node(op::kExpand, {a, a.graph->ints(shape)}); }
Term transpose(Term a, const std::vector<int64_t>& order) {
  return a.graph->node(op::kTranspose, {a}, {{"perm", order}});
}
Term to_type(Term a, DType dtype) { return a.graph->node(op::kCast, {a}, {{"to", static_cast<int64_t>(dtype)}}); }

}  // namespace twofold
