#ifndef TWOFOLD_SRC_PASSES_FOLD_CONSTANTS_H_
#define TWOFOLD_SRC_PASSES_FOLD_CONSTANTS_H_

#include "graph/graph.h"

namespace twofold {

// Runs the nodes whose inputs are all constant and puts their results in their place:
//
//   c1 ─┐
//       ├─ Add ─ y ─ ...           =>      y (constant) ─ ...
//   c2 ─┘
//
// Leaves alone: QuantizeLinear and DequantizeLinear (a quantized weight's pair is what says that it is quantized),
// random operators, nodes with bodies, operators that Twofold does not have, and nodes that fail (running the model
// says why). Results may take at most 64 MiB more than the constants that they free, all together, so that a small file
// cannot fill the memory. Returns the number of nodes folded.
int fold_constants(Graph& graph);

}  // namespace twofold

#endif  // TWOFOLD_SRC_PASSES_FOLD_CONSTANTS_H_
