#ifndef TWOFOLD_SRC_PASSES_COMPLETE_ZERO_POINTS_H_
#define TWOFOLD_SRC_PASSES_COMPLETE_ZERO_POINTS_H_

#include "graph/graph.h"

namespace twofold {

// Writes the zero point that QuantizeLinear and DequantizeLinear may leave out, so that every such node says itself
// what integers it is about:
//
//   x ─ QuantizeLinear(scale) ─ q      =>   x ─ QuantizeLinear(scale, 0 of the type) ─ q
//   q ─ DequantizeLinear(scale) ─ y    =>   q ─ DequantizeLinear(scale, 0 of q's type) ─ y
//
// The type is that of the attribute output_dtype, which goes, or uint8, as ONNX has it, for the one; that of q for the
// other. Refuses scales that are no constants, types that cannot be told, and int32, which has no zero point. Returns
// the number of nodes rewritten.
int complete_zero_points(Graph& graph);

}  // namespace twofold

#endif  // TWOFOLD_SRC_PASSES_COMPLETE_ZERO_POINTS_H_
