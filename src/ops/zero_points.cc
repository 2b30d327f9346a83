#include "ops/zero_points.h"

namespace twofold {

namespace {

template <typename T>
std::vector<int32_t> widened(const Tensor& tensor) {
  const std::span<const T> values = tensor.data<T>();
  return {values.begin(), values.end()};
}

}  // namespace

std::optional<std::vector<int32_t>> zero_point_values(const Tensor& zero_points) {
  switch (zero_points.dtype()) {
    case DType::kInt8: return widened<int8_t>(zero_points);
    case DType::kUInt8: return widened<uint8_t>(zero_points);
    case DType::kInt16: return widened<int16_t>(zero_points);
    case DType::kUInt16: return widened<uint16_t>(zero_points);
    case DType::kInt32: return widened<int32_t>(zero_points);
    default: return std::nullopt;
  }
}

}  // namespace twofold
