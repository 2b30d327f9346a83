// Weight scales that leave room for the bias.
#ifndef TWOFOLD_SRC_QUANTIZE_FIT_BIASES_H_
#define TWOFOLD_SRC_QUANTIZE_FIT_BIASES_H_

#include <functional>

#include "graph/graph.h"
#include "plan/plan.h"
#include "quantize/ranges.h"

namespace twofold {

// A bias is an integer in units of s_a s_b. Of a channel whose weights are next to nothing (pruned, or switched off by
// its batch normalization) s_b would be so small that the bias has more bits than an accumulator. Raises the scale of
// such channels until the bias has at most 2^26 steps beside an int8 or ec weight, 2^34 beside an int16 one, taking the
// largest |a| / 127 that calibration saw for s_a. What rounding the weights then costs stays below
// K / 2^20 of the bias for K products.
//
// `abs_max` gives that |a| of a node's first input, 0 where nothing is known of it.
// REQUIRES: decide_constants was called.
void fit_biases(const Graph& graph, const std::function<float(const Node&)>& abs_max, Plan& plan);
// The same with what calibration saw.
void fit_biases(const Graph& graph, Ranges& ranges, Plan& plan);

}  // namespace twofold

#endif  // TWOFOLD_SRC_QUANTIZE_FIT_BIASES_H_
