#include "data/to_float32.h"

#include <algorithm>
#include <cstdint>

#include "numeric/float16.h"

namespace twofold {

namespace {

template <typename T, typename Convert>
Tensor converted(const Tensor& tensor, Convert convert) {
  Tensor result(DType::kFloat32, tensor.shape());
  std::ranges::transform(tensor.data<T>(), result.mutable_data<float>().begin(), convert);
  return result;
}

template <typename T>
Tensor cast(const Tensor& tensor) {
  return converted<T>(tensor, [](T value) { return static_cast<float>(value); });
}

}  // namespace

Tensor to_float32(const Tensor& tensor) {
  switch (tensor.dtype()) {
    case DType::kFloat64: return cast<double>(tensor);
    case DType::kInt8: return cast<int8_t>(tensor);
    case DType::kUInt8: return cast<uint8_t>(tensor);
    case DType::kInt16: return cast<int16_t>(tensor);
    case DType::kUInt16: return cast<uint16_t>(tensor);
    case DType::kInt32: return cast<int32_t>(tensor);
    case DType::kUInt32: return cast<uint32_t>(tensor);
    case DType::kInt64: return cast<int64_t>(tensor);
    case DType::kUInt64: return cast<uint64_t>(tensor);
    case DType::kFloat16: return converted<uint16_t>(tensor, float16_to_float);
    case DType::kBFloat16: return converted<uint16_t>(tensor, bfloat16_to_float);
    default: return tensor;
  }
}

}  // namespace twofold
