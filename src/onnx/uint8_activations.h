// int8 activations with zero point z written as uint8 with z + 128: the same real numbers.
#ifndef TWOFOLD_SRC_ONNX_UINT8_ACTIVATIONS_H_
#define TWOFOLD_SRC_ONNX_UINT8_ACTIVATIONS_H_

#include "graph/graph.h"

namespace twofold {

//   x -> QuantizeLinear(s, z int8) -> [Reshape, MaxPool ...] -> DequantizeLinear(s, z int8)
//   x -> QuantizeLinear(s, z + 128 uint8) -> [Reshape, MaxPool ...] -> DequantizeLinear(s, z + 128 uint8)
// A tensor is changed only together with all that its integers flow to, and only if they come from QuantizeLinear and
// end in DequantizeLinear with nothing but moves of data in between; inputs and outputs of the graph keep their type,
// and so do constants (weights). Bodies of If, Loop and Scan are done too.
void use_uint8_activations(Graph& graph);

}  // namespace twofold

#endif  // TWOFOLD_SRC_ONNX_UINT8_ACTIVATIONS_H_
