#ifndef TWOFOLD_SRC_DATA_TO_FLOAT32_H_
#define TWOFOLD_SRC_DATA_TO_FLOAT32_H_

#include "twofold/tensor.h"

namespace twofold {

// Any numbers as float32, rounded to it; the tensor itself where it cannot be.
Tensor to_float32(const Tensor& tensor);

}  // namespace twofold

#endif  // TWOFOLD_SRC_DATA_TO_FLOAT32_H_
