// A plan of one model for another one: retrained, or changed in some places.
#ifndef TWOFOLD_SRC_QUANTIZE_CARRY_OVER_H_
#define TWOFOLD_SRC_QUANTIZE_CARRY_OVER_H_

#include "graph/graph.h"
#include "plan/plan.h"

namespace twofold {

// The plan for `graph`, found by the names of nodes. What a node that is the same had, it keeps. Of one that has other
// weights or attributes, precisions, roundings and the scales of activations stay; scales of weights and other
// constants are computed again, and bias corrections, which are those of other weights, go. Equalizations stay, since
// they are exact for any weights, where the graph has their nodes; where not, the operands of these nodes are not what
// they were, and stay float32. What fits nothing is left out, and nodes that the plan does not know stay float32;
// Plan::notes of the result says so, node by node.
// Throws Error(kInvalidArgument) for a plan that is not decided, and for constants with NaN or infinity.
Plan carry_over(const Plan& plan, const Graph& graph);

}  // namespace twofold

#endif  // TWOFOLD_SRC_QUANTIZE_CARRY_OVER_H_
