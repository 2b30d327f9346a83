// ConvTranspose whose windows tile the output: the kernel is as large as the stride, so that every output position
// belongs to exactly one input position and the whole is a matrix product and a copy.
#ifndef TWOFOLD_SRC_OPS_BLOCK_CONV_TRANSPOSE_H_
#define TWOFOLD_SRC_OPS_BLOCK_CONV_TRANSPOSE_H_

#include "ops/float_steps.h"
#include "ops/op.h"
#include "ops/packed_matmul.h"

namespace twofold {

// y[n,m,i*k+r] = steps(sum over c of x[n,c,i] * weights[c,m,r] + bias[m]), where i, k and r have one entry per
// spatial axis, 1 to 3 of them; float32. Thread-safe as const.
class BlockConvTranspose {
 public:
  // `weights` is [C,M,k...] with elements, `bias` [M] or undefined; no step has an operand.
  BlockConvTranspose(const Tensor& weights, const Tensor& bias, const FloatSteps& steps);

  // x is [N,C,spatial...] and y [N,M,spatial * k...], both channels-last.
  void run(const OpCall& call, const Tensor& x, Tensor& y) const;
  size_t byte_size() const { return product_.byte_size(); }  // of the packed weights

 private:
  const Shape weights_;  // their shape
  const PackedMatMul product_;
};

}  // namespace twofold

#endif  // TWOFOLD_SRC_OPS_BLOCK_CONV_TRANSPOSE_H_
