#ifndef TWOFOLD_SRC_ENGINE_LOWER_RECURRENT_H_
#define TWOFOLD_SRC_ENGINE_LOWER_RECURRENT_H_

#include "engine/lower_gemms.h"
#include "graph/graph.h"

namespace twofold {

// LSTM, GRU and RNN of which X and W are dequantized: the products of all steps become one of integers, and the steps
// are computed in float32 behind it, R (dequantized or not) and all else as they are:
//
//   x ─ DQ ─┐                              x ─┐
//          LSTM ─ y                  =>      IntegerMatMul ─ LSTM of the dialect ─ y
//   w ─ DQ ─┘ └ r, b, ...                  w' ─┘                 └ r, b, ...
//
// w' is w [directions, gates, input] as [input, directions·gates]. Refuses, leaving the float operator and a reason,
// where W or the scales are not constant, X has a scale per channel, or W one along another axis than its gates.
// Returns how many were lowered.
int lower_recurrent(Graph& graph, FloatReasons& reasons);

}  // namespace twofold

#endif  // TWOFOLD_SRC_ENGINE_LOWER_RECURRENT_H_
