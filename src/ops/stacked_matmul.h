// The product of two computed float32 matrices, or stacks of them: what attention multiplies.
#ifndef TWOFOLD_SRC_OPS_STACKED_MATMUL_H_
#define TWOFOLD_SRC_OPS_STACKED_MATMUL_H_

#include <memory>

#include "loops/matrix_stack.h"
#include "ops/op.h"

namespace twofold {

// y = alpha * a * b, or y += alpha * a * b if it accumulates. Thread-safe as const.
class StackedMatMul {
 public:
  StackedMatMul(float alpha, bool accumulates);
  ~StackedMatMul();

  // Whether oneDNN can read and write the matrices where they lie: the elements of a row, or else those of a column,
  // lie side by side; in y those of a row. False if there is nothing to add up.
  static bool takes(const MatrixProduct& p);
  // REQUIRES: takes(p), made with the same orders in every run.
  void run(const OpCall& call, const MatrixProduct& p, const float* a, const float* b, float* y) const;

 private:
  struct Primitives;
  void run_one_by_one(const MatrixProduct& p, const float* a, const float* b, float* y) const;

  const float alpha_;
  const bool accumulates_;
  std::unique_ptr<Primitives> primitives_;
};

}  // namespace twofold

#endif  // TWOFOLD_SRC_OPS_STACKED_MATMUL_H_
