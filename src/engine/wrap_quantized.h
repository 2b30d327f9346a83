#ifndef TWOFOLD_SRC_ENGINE_WRAP_QUANTIZED_H_
#define TWOFOLD_SRC_ENGINE_WRAP_QUANTIZED_H_

#include "engine/float_chain.h"
#include "graph/graph.h"

namespace twofold {

// Operators that compute in float32 take in the conversions around them (dialect/quantized_body.h):
//
//   a ─ DQ ─┐
//          Add ─ LayerNormalization ─ Q ─ y    =>   (a, b) ─ "Add LayerNormalization" ─ y
//   b ─ DQ ─┘
//
// So do those that work on rows of a float32 tensor and are quantized behind: Softmax -> Q. A chain goes on as long as
// its result has one reader. Refuses products, which have integer forms or are to say why they have none, operators
// with bodies, tensors with several scales, and what nothing quantizes. Returns how many chains there were.
int wrap_quantized(Graph& graph, const ChainFinder& chains);

}  // namespace twofold

#endif  // TWOFOLD_SRC_ENGINE_WRAP_QUANTIZED_H_
