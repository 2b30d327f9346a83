#ifndef TWOFOLD_SRC_PASSES_FUSE_MATMUL_BIAS_H_
#define TWOFOLD_SRC_PASSES_FUSE_MATMUL_BIAS_H_

#include "graph/graph.h"

namespace twofold {

// Makes a MatMul of a matrix with a constant, and the bias behind it, one Gemm:
//
//   x [M,K] ─ MatMul(W [K,N]) ─ Add(c [N]) ─ y          =>      x ─ Gemm(W, c) ─ y
//
// The Gemm keeps the MatMul's name. Refuses where x is not provably of rank 2 (MatMul then stays: Gemm takes matrices
// only), where the MatMul's output has another use, and where c is not one number per column. Returns the number of
// pairs fused.
int fuse_matmul_bias(Graph& graph);

}  // namespace twofold

#endif  // TWOFOLD_SRC_PASSES_FUSE_MATMUL_BIAS_H_
