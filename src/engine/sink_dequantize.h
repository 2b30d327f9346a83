#ifndef TWOFOLD_SRC_ENGINE_SINK_DEQUANTIZE_H_
#define TWOFOLD_SRC_ENGINE_SINK_DEQUANTIZE_H_

#include "graph/graph.h"

namespace twofold {

// Moves DequantizeLinear behind what only moves numbers, so that it moves integers:
//
//   q ─ DQ ─ Transpose ─ y                     =>   q ─ Transpose ─ DQ ─ y
//   q1 ─ DQ ─┐                                      q1 ─┐
//           Concat ─ y                         =>      Concat ─ DQ ─ y
//   q2 ─ DQ ─┘                                      q2 ─┘
//
// Refuses constants, tensors with several scales, a Concat of tensors with different ones, a Resize that interpolates,
// and a Pad with zeros where the integer 0 is not the zero point, or with any other number. Returns how many operators
// now move integers.
int sink_dequantize(Graph& graph);

// Whether every element that an operator of this kind gives is one of those of its input 0 (of all inputs for Concat).
bool moves_elements(const Node& node);

}  // namespace twofold

#endif  // TWOFOLD_SRC_ENGINE_SINK_DEQUANTIZE_H_
