#include "data/convert_exactly.h"

#include <algorithm>
#include <cstdint>
#include <limits>
#include <span>
#include <type_traits>
#include <utility>

#include "base/error.h"
#include "data/to_float32.h"

namespace twofold {

namespace {

// Calls use(T()) with the C++ type of an integer type, bool as uint8_t; false for the others.
template <typename Use>
bool with_integer(DType dtype, const Use& use) {
  switch (dtype) {
    case DType::kInt8: use(int8_t{}); return true;
    case DType::kInt16: use(int16_t{}); return true;
    case DType::kInt32: use(int32_t{}); return true;
    case DType::kInt64: use(int64_t{}); return true;
    case DType::kBool:
    case DType::kUInt8: use(uint8_t{}); return true;
    case DType::kUInt16: use(uint16_t{}); return true;
    case DType::kUInt32: use(uint32_t{}); return true;
    case DType::kUInt64: use(uint64_t{}); return true;
    default: return false;
  }
}

template <typename From, typename To>
bool has(From value, DType to) {
  if constexpr (std::is_integral_v<To>) {
    return std::in_range<To>(value) && (to != DType::kBool || value == 0 || value == 1);
  } else {
    // Whole numbers up to 2^53, which is what every one of 32 bits is, and others by chance.
    const auto real = static_cast<double>(value);
    return real < 0x1p63 && real >= -0x1p63 ? static_cast<int64_t>(real) == static_cast<int64_t>(value) : false;
  }
}

template <typename From, typename To>
void convert(const Tensor& from, DType dtype, const std::string& what, Tensor& to) {
  const std::span<const From> in(reinterpret_cast<const From*>(from.bytes()), static_cast<size_t>(from.size()));
  const std::span<To> out(reinterpret_cast<To*>(to.mutable_bytes()), in.size());
  for (size_t i = 0; i < in.size(); ++i) {
    if (!has<From, To>(in[i], dtype)) {
      throw_error(ErrorCode::kInvalidArgument, "{}: {} has no {}", what, to_string(dtype), +in[i]);
    }
    out[i] = static_cast<To>(in[i]);
  }
}

// Of float16, bfloat16 and float32, each of whose numbers float32 has.
Tensor widened(const Tensor& tensor, DType dtype) {
  const Tensor single = to_float32(tensor);
  if (dtype == DType::kFloat32) return single;
  Tensor result(dtype, tensor.shape());
  std::ranges::copy(single.data<float>(), result.mutable_data<double>().begin());
  return result;
}

bool widens(DType from, DType to) {
  const bool is_half = from == DType::kFloat16 || from == DType::kBFloat16;
  return (is_half && (to == DType::kFloat32 || to == DType::kFloat64)) ||
         (from == DType::kFloat32 && to == DType::kFloat64);
}

}  // namespace

Tensor convert_exactly(const Tensor& tensor, DType dtype, const std::string& what) {
  if (tensor.dtype() == dtype) return tensor;
  if (widens(tensor.dtype(), dtype)) return widened(tensor, dtype);
  Tensor result;
  with_integer(tensor.dtype(), [&]<typename From>(From) {
    const auto to = [&]<typename To>(To) {
      Tensor converted(dtype, tensor.shape());
      convert<From, To>(tensor, dtype, what, converted);
      result = std::move(converted);
    };
    if (dtype == DType::kFloat64) {
      to(double{});
    } else {
      with_integer(dtype, to);
    }
  });
  return result;
}

}  // namespace twofold
