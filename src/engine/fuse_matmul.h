// Transpositions and scales around a MatMul, as attention has them.
#ifndef TWOFOLD_SRC_ENGINE_FUSE_MATMUL_H_
#define TWOFOLD_SRC_ENGINE_FUSE_MATMUL_H_

#include <vector>

#include "graph/graph.h"
#include "infer/infer_types.h"

namespace twofold {

// Makes one node of a MatMul whose second operand is not constant and what stands around it:
//
//   a ─ [Transpose] ─┐
//                  MatMul ─ [Mul | Div by a number] ─ [Transpose] ─ y      =>      a, b ─ fused MatMul ─ y
//   b ─ [Transpose] ─┘
//
// The kernel reads and writes the transposed matrices in place. Refuses a Transpose after which neither matrix
// dimension is contiguous (for y: the last one is not), and one whose result is `watched` or has another use.
void fuse_matmul_orders(Graph& graph, const std::vector<InferredType>& types, const std::vector<bool>& watched);

}  // namespace twofold

#endif  // TWOFOLD_SRC_ENGINE_FUSE_MATMUL_H_
