// Conversions of element types that lose nothing.
#ifndef TWOFOLD_SRC_DATA_CONVERT_EXACTLY_H_
#define TWOFOLD_SRC_DATA_CONVERT_EXACTLY_H_

#include <string>

#include "twofold/tensor.h"

namespace twofold {

// Integers (of any size, and bool) as integers of another type, if that has all of them; or as float64, likewise;
// floating-point numbers as wider ones. The tensor itself where it has the type already. Undefined where the types do
// not let it be: integers of floating-point numbers, a narrower floating-point type. Throws Error(kInvalidArgument)
// naming the first number that `dtype` does not have, after `what`.
Tensor convert_exactly(const Tensor& tensor, DType dtype, const std::string& what);

}  // namespace twofold

#endif  // TWOFOLD_SRC_DATA_CONVERT_EXACTLY_H_
