// What a MatMul of the fused domain does beside multiplying (engine/fuse_matmul.h makes it, ops/matmul.cc runs it).
#ifndef TWOFOLD_SRC_OPS_FUSED_MATMUL_H_
#define TWOFOLD_SRC_OPS_FUSED_MATMUL_H_

#include "graph/attribute.h"
#include "loops/matrix_stack.h"

namespace twofold {

// y = transpose(alpha transpose(a) transpose(b)), in a node's attributes; what these do not say changes nothing.
struct FusedMatMul {
  MatrixOrders orders;
  float alpha = 1;

  static FusedMatMul read(const Attributes& attributes);
  void write(Attributes& attributes) const;
};

}  // namespace twofold

#endif  // TWOFOLD_SRC_OPS_FUSED_MATMUL_H_
