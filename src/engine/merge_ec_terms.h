#ifndef TWOFOLD_SRC_ENGINE_MERGE_EC_TERMS_H_
#define TWOFOLD_SRC_ENGINE_MERGE_EC_TERMS_H_

#include "graph/graph.h"

namespace twofold {

// The exported form of an `ec` operand, two identical operators and an Add with int8 terms, becomes one operator with
// the 16-bit operand (numeric/ec.h):
//
//   x ─┬─ op(DQ(q1; s1), b1) ──┐
//      │                      Add ─ y          =>   x ─ op(DQ(254 q1 + q2; s1/254), 254 b1 + b2) ─ y
//      └─ op(DQ(q2; s1/254), b2) ┘
//
// and so do the two quantizations of an activation, however many operators read them:
//
//   q1 = Q(x; s1), q2 = Q(x - DQ(q1); s1/254)  =>   EcQuantize(x; s1)
//
// Operators with two ec operands are two such pairs. Refuses where the two operators differ in anything but that
// operand, where something else reads what one of them gives, and where their biases are not int32 constants in those
// units. Where `in_two_passes`, the operator gets the attributes that have it run so (dialect/ec_product.h). Returns
// how many Adds went away; the quantizations that nothing reads any more stay for remove_dead_nodes.
int merge_ec_terms(Graph& graph, bool in_two_passes = false);

}  // namespace twofold

#endif  // TWOFOLD_SRC_ENGINE_MERGE_EC_TERMS_H_
