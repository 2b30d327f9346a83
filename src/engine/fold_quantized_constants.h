#ifndef TWOFOLD_SRC_ENGINE_FOLD_QUANTIZED_CONSTANTS_H_
#define TWOFOLD_SRC_ENGINE_FOLD_QUANTIZED_CONSTANTS_H_

#include "graph/graph.h"

namespace twofold {

// Computes what is quantized and constant, as other tools write their weights:
//
//   constant ─ QuantizeLinear ─ q              =>   q = integers (constant)
//   q (constant) ─ DQ ─ Transpose ─ y          =>   q' (constant) ─ DQ ─ y
//
// The scales of a transposed constant move to the axis where their channels are then. Refuses to transpose one with
// blocked scales, or whose scales run along an axis that it has not. Returns how many operators went away. Throws Error
// naming a node that cannot be computed.
int fold_quantized_constants(Graph& graph);

}  // namespace twofold

#endif  // TWOFOLD_SRC_ENGINE_FOLD_QUANTIZED_CONSTANTS_H_
