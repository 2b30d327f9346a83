// Formulas that become nodes of a backward graph: `dy * (1.0F - y * y)` adds three.
#ifndef TWOFOLD_SRC_GRADIENTS_TERM_H_
#define TWOFOLD_SRC_GRADIENTS_TERM_H_

#include <vector>

#include "graph/graph.h"

namespace twofold {

class BackwardGraph;

// A value of the backward graph. Operators and functions on terms add the ONNX operator of that name, with its
// broadcasting.
struct Term {
  BackwardGraph* graph = nullptr;
  ValueId id = kNone;  // in the backward graph

  bool defined() const { return id != kNone; }
};

Term operator+(Term a, Term b);
Term operator-(Term a, Term b);
Term operator*(Term a, Term b);
Term operator/(Term a, Term b);
Term operator+(Term a, float b);
Term operator+(float a, Term b);
Term operator-(Term a, float b);
Term operator-(float a, Term b);
Term operator*(Term a, float b);
Term operator*(float a, Term b);
Term operator/(Term a, float b);
Term operator/(float a, Term b);
Term operator-(Term a);

// bool
Term operator<(Term a, Term b);
Term operator<=(Term a, Term b);
Term operator>(Term a, Term b);
Term operator>=(Term a, Term b);
Term operator<(Term a, float b);
Term operator<=(Term a, float b);
Term operator>(Term a, float b);
Term operator>=(Term a, float b);
Term equal(Term a, Term b);
Term equal(Term a, float b);
Term both(Term a, Term b);

Term where(Term condition, Term a, Term b);
Term where(Term condition, Term a, float b);
Term where(Term condition, float a, Term b);
Term where(Term condition, float a, float b);

Term abs(Term a);
Term cos(Term a);
Term erf(Term a);
Term exp(Term a);
Term floor(Term a);
Term log(Term a);
Term pow(Term a, Term b);
Term pow(Term a, float b);
Term reciprocal(Term a);
Term sigmoid(Term a);
Term sign(Term a);
Term sin(Term a);
Term softplus(Term a);
Term sqrt(Term a);
Term tanh(Term a);
Term square(Term a);

// The dimensions stay, as ones.
Term reduce_sum(Term a, const std::vector<int64_t>& axes);
Term reduce_mean(Term a, const std::vector<int64_t>& axes);

Term matmul(Term a, Term b);
Term reshape(Term a, const Shape& shape);
Term expand(Term a, const Shape& shape);
Term transpose(Term a, const std::vector<int64_t>& order);
Term to_type(Term a, DType dtype);

}  // namespace twofold

#endif  // TWOFOLD_SRC_GRADIENTS_TERM_H_
