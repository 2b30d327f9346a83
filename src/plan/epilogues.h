// Which operators a target computes on the accumulator of the operator in front of them.
#ifndef TWOFOLD_SRC_PLAN_EPILOGUES_H_
#define TWOFOLD_SRC_PLAN_EPILOGUES_H_

#include <vector>

#include "graph/graph.h"
#include "plan/target.h"

namespace twofold {

// Per NodeId: true for the target's epilogues that stand directly behind a Gemm-type operator, or behind another such
// epilogue. Their only tensor that is not a constant has no other reader.
std::vector<bool> find_epilogues(const Graph& graph, const Target& target);

}  // namespace twofold

#endif  // TWOFOLD_SRC_PLAN_EPILOGUES_H_
