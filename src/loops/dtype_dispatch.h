// From a tensor's element type to a C++ type.
#ifndef TWOFOLD_SRC_LOOPS_DTYPE_DISPATCH_H_
#define TWOFOLD_SRC_LOOPS_DTYPE_DISPATCH_H_

#include "base/error.h"
#include "twofold/dtype.h"

namespace twofold {

// Calls body(T{}) with the C++ type of the integers of `dtype`.
// Throws Error(kInvalidModel) for all other types.
template <typename Body>
decltype(auto) visit_integer(DType dtype, Body&& body) {
  switch (dtype) {
    case DType::kInt8: return body(int8_t{});
    case DType::kUInt8: return body(uint8_t{});
    case DType::kInt16: return body(int16_t{});
    case DType::kUInt16: return body(uint16_t{});
    case DType::kInt32: return body(int32_t{});
    case DType::kUInt32: return body(uint32_t{});
    case DType::kInt64: return body(int64_t{});
    case DType::kUInt64: return body(uint64_t{});
    default: throw_error(ErrorCode::kInvalidModel, "input of type {} is not allowed", to_string(dtype));
  }
}

// The same for the integers, float32 and float64.
// Throws Error(kInvalidModel) for bool, float16 and bfloat16, which hold no numbers that C++ can compute with.
template <typename Body>
decltype(auto) visit_number(DType dtype, Body&& body) {
  switch (dtype) {
    case DType::kFloat32: return body(float{});
    case DType::kFloat64: return body(double{});
    default: return visit_integer(dtype, body);
  }
}

}  // namespace twofold

#endif  // TWOFOLD_SRC_LOOPS_DTYPE_DISPATCH_H_
