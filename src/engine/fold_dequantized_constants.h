#ifndef TWOFOLD_SRC_ENGINE_FOLD_DEQUANTIZED_CONSTANTS_H_
#define TWOFOLD_SRC_ENGINE_FOLD_DEQUANTIZED_CONSTANTS_H_

#include "graph/graph.h"

namespace twofold {

// Computes what is left in float once, not in every run:
//
//   q (constant) ─ DequantizeLinear ─ x        =>   x (constant)
//
// Refuses nothing: who reads integers of a constant has taken them by then. Returns the number of constants. Throws
// Error naming a node that cannot be computed.
int fold_dequantized_constants(Graph& graph);

}  // namespace twofold

#endif  // TWOFOLD_SRC_ENGINE_FOLD_DEQUANTIZED_CONSTANTS_H_
