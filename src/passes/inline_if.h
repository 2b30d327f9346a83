#ifndef TWOFOLD_SRC_PASSES_INLINE_IF_H_
#define TWOFOLD_SRC_PASSES_INLINE_IF_H_

#include "graph/graph.h"

namespace twofold {

// Puts the branch that is taken in the place of an If whose condition is a constant:
//
//   If(true, then: y = Conv(x, w), else: ...)   =>   y = Conv(x, w)
//
// so that its operators are quantized as others are. Returns the number of nodes replaced.
int inline_if(Graph& graph);

}  // namespace twofold

#endif  // TWOFOLD_SRC_PASSES_INLINE_IF_H_
