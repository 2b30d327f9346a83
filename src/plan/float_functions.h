// Functions that are written out in simpler operators, of which some stay float32: which of the others do so with them.
#ifndef TWOFOLD_SRC_PLAN_FLOAT_FUNCTIONS_H_
#define TWOFOLD_SRC_PLAN_FLOAT_FUNCTIONS_H_

#include <vector>

#include "graph/graph.h"
#include "plan/config_levels.h"
#include "plan/target.h"

namespace twofold {

// Per NodeId: true for operators that would be quantized by themselves and are part of a function that is computed in
// float32. x / sqrt(mean(x * x) + epsilon) is such a function, in whatever operators it is written: the Mul, whose
// result goes nowhere but into float32 operators, and the Add of epsilon. Quantized alone, each would round numbers
// that spread over orders of magnitude, between operators that gain nothing from it. A part of a function is
//
//   what only feeds it: an element-wise operator, pool or reduction whose results are read by float32 operators alone,
//     and are no outputs of the model. What only moves or clamps numbers (Reshape, Relu), adds them up (ReduceMean) or
//     divides them by a constant is part of what its own readers are part of.
//
//   what continues it: an element-wise operator on the result of an operator like Exp, Sqrt, Reciprocal or Div, or
//     behind another part, whose other inputs are constant, or computed from the same tensors. So x * (1 / sqrt(v))
//     belongs to it where v is made of x; where it is multiplied with another tensor, the function ends.
//
// Functions begin and end at sums of products (Conv, MatMul, Einsum, Resize, ...). Operators that the config names are
// what it says, and those that the target has no float32 form of are quantized. `is_float` as float_values() gives it.
// Linear in the size of the graph.
std::vector<bool> find_float_functions(const Graph& graph, const Target& target, const ConfigLevels& levels,
                                       const std::vector<bool>& is_float);

}  // namespace twofold

#endif  // TWOFOLD_SRC_PLAN_FLOAT_FUNCTIONS_H_
