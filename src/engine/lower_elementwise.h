#ifndef TWOFOLD_SRC_ENGINE_LOWER_ELEMENTWISE_H_
#define TWOFOLD_SRC_ENGINE_LOWER_ELEMENTWISE_H_

#include "engine/float_chain.h"
#include "graph/graph.h"

namespace twofold {

// Element-wise operators between DequantizeLinear and QuantizeLinear:
//
//   q ─ DQ ─ f ─ ... ─ Q ─ y                   =>   q ─ Table ─ y          also where there is no f
//   a ─ DQ ─┐
//          op ─ f ─ ... ─ Q ─ y                =>   (a, b) ─ Elementwise ─ y
//   b ─ DQ ─┘
//   q ─ DQ ─ Q ─ y   with one scale            =>   q
//
// Refuses chains that nothing quantizes; a table, which gives integers only, where something reads the float result or
// it is watched; and to let a QuantizeLinear go whose integers are an output of the graph. Returns how many were
// lowered.
int lower_elementwise(Graph& graph, const ChainFinder& chains);

}  // namespace twofold

#endif  // TWOFOLD_SRC_ENGINE_LOWER_ELEMENTWISE_H_
