// The product of a matrix with a constant one, which is packed once: what MatMul and Gemm are in trained networks.
#ifndef TWOFOLD_SRC_OPS_PACKED_MATMUL_H_
#define TWOFOLD_SRC_OPS_PACKED_MATMUL_H_

#include <memory>
#include <optional>
#include <span>

#include "ops/float_steps.h"
#include "ops/op.h"

namespace twofold {

// y[M,N] = x[M,K] * weights[K,N] + bias[N], then float steps; float32, row-major. Thread-safe as const.
class PackedMatMul {
 public:
  // `weights` is [K,N], or [N,K] if `transposed`. `bias` may be undefined.
  PackedMatMul(Tensor weights, bool transposed, Tensor bias, FloatSteps steps);
  ~PackedMatMul();

  int64_t k() const { return k_; }
  int64_t n() const { return n_; }
  // `addends` are the [M,N] operands of the steps, in order.
  void run(const OpCall& call, int64_t m, const float* x, std::span<const float* const> addends, float* y) const;
  size_t byte_size() const;  // of the packed weights

 private:
  struct Prepared;
  int64_t k_ = 0, n_ = 0;
  Tensor bias_;
  FloatSteps steps_;
  std::unique_ptr<Prepared> prepared_;
};

}  // namespace twofold

#endif  // TWOFOLD_SRC_OPS_PACKED_MATMUL_H_
