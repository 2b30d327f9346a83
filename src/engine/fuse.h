// What the executor joins before it runs a graph. Values and their ids stay as they are; those inside a fused node are
// never computed. Nobody but the executor sees the result.
#ifndef TWOFOLD_SRC_ENGINE_FUSE_H_
#define TWOFOLD_SRC_ENGINE_FUSE_H_

#include <vector>

#include "graph/graph.h"

namespace twofold {

// The graph, in which then
//
//   Conv | ConvTranspose | MatMul by a constant | Gemm by a constant  ─ step ─ step ...
//
// is one node, where a step is Relu, LeakyRelu, Clip, HardSwish, HardSigmoid, Sigmoid, Tanh, Swish, Gelu, Mul or Add
// with a constant number, Add of a constant row on a MatMul, or Add with a tensor that is proved to have the same
// shape; and what fuse_matmul.h says. Refuses where a result in between is `watched` (indexed by ValueId) or has
// another use.
Graph fuse_for_execution(Graph graph, const std::vector<bool>& watched);

}  // namespace twofold

#endif  // TWOFOLD_SRC_ENGINE_FUSE_H_
