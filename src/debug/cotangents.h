// The directions in which one output of one sample is swept.
#ifndef TWOFOLD_SRC_DEBUG_COTANGENTS_H_
#define TWOFOLD_SRC_DEBUG_COTANGENTS_H_

#include <cstdint>

#include "twofold/tensor.h"

namespace twofold {

class Cotangents {
 public:
  // `output`: of the float model. `seed` tells samples and outputs apart.
  Cotangents(const Tensor& output, uint64_t seed);

  int64_t size() const { return output_.size(); }
  double signal() const { return signal_; }  // sum of squares

  // Element i of the output over its length; 0 where it has none.
  double share(int64_t i) const;

  // 1 at element i, 0 elsewhere.
  Tensor unit(int64_t i) const;
  // The output over its length: of length 1. REQUIRES: signal() > 0.
  Tensor along() const;
  // Random signs, less what of them lies along the output: the same for the same k.
  Tensor across(int64_t k) const;

 private:
  const Tensor output_;  // float32, plain
  const uint64_t seed_;
  double signal_ = 0;
};

}  // namespace twofold

#endif  // TWOFOLD_SRC_DEBUG_COTANGENTS_H_
