// The range of the element types that quantized tensors have.
#ifndef TWOFOLD_SRC_NUMERIC_INTEGER_LIMITS_H_
#define TWOFOLD_SRC_NUMERIC_INTEGER_LIMITS_H_

#include <cstdint>
#include <utility>

#include "twofold/dtype.h"

namespace twofold {

// int8, uint8, int16, uint16.
bool is_operand_type(DType dtype);

// Smallest and largest integer of such a type; {0, 0} for any other.
std::pair<int32_t, int32_t> integer_limits(DType dtype);

}  // namespace twofold

#endif  // TWOFOLD_SRC_NUMERIC_INTEGER_LIMITS_H_
