// Operators that make tensors out of shapes and numbers: Constant, ConstantOfShape, Range, EyeLike.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include "base/parallel_for.h"
#include "loops/element.h"
#include "ops/arguments.h"
#include "ops/cast.h"
#include "ops/families.h"

namespace twofold {

namespace {

template <typename T>
Tensor vector_of(const std::vector<T>& values) {
  return Tensor::from<T>({static_cast<int64_t>(values.size())}, values);
}

void constant(OpCall& call) {
  const Attributes& attributes = call.attributes();
  if (attributes.has("value")) return call.set_output(0, attributes.get_tensor("value"));
  if (attributes.has("value_float")) return call.set_output(0, Tensor::scalar(attributes.get_float("value_float", 0)));
  if (attributes.has("value_int")) return call.set_output(0, Tensor::scalar(attributes.get_int("value_int")));
  if (attributes.has("value_floats")) return call.set_output(0, vector_of(attributes.get_floats("value_floats", {})));
  if (attributes.has("value_ints")) return call.set_output(0, vector_of(attributes.get_ints("value_ints", {})));
  throw_error(ErrorCode::kUnsupported, "only constants of numbers (value, value_float(s), value_int(s)) are supported");
}

void constant_of_shape(OpCall& call) {
  Tensor value = Tensor::scalar(0.0F);
  if (call.attributes().has("value")) value = call.attributes().get_tensor("value");
  if (value.size() != 1) {
    throw_error(ErrorCode::kInvalidModel, "attribute 'value' must have one element, but its shape is {}",
                to_string(value.shape()));
  }
  Tensor& out = call.output(0, value.dtype(), read_ints(call.input(0), "the shape"));
  with_word(byte_size(value.dtype()),
            [&]<typename T>() { std::fill_n(mutable_words<T>(out), out.size(), *words<T>(value)); });
}

template <typename T>
T read_scalar(const Tensor& tensor, std::string_view what) {
  if (tensor.size() != 1) {
    throw_error(ErrorCode::kInvalidModel, "{} must be a single value, but its shape is {}", what,
                to_string(tensor.shape()));
  }
  return tensor.data<T>()[0];
}

// max(ceil((limit - start) / delta), 0).
template <typename T>
int64_t range_length(T start, T limit, T delta) {
  if constexpr (std::is_integral_v<T>) {
    const __int128 span = static_cast<__int128>(limit) - start;
    const __int128 step = delta;
    const __int128 length = (span + step - (step > 0 ? 1 : -1)) / step;
    const bool empty = (span > 0) != (step > 0) || span == 0;
    if (!empty && length <= std::numeric_limits<int64_t>::max()) return static_cast<int64_t>(length);
    if (empty) return 0;
  } else {
    const double length = std::ceil((static_cast<double>(limit) - static_cast<double>(start)) / delta);
    if (length < 9e18) return std::max<int64_t>(static_cast<int64_t>(length), 0);
  }
  throw_error(ErrorCode::kInvalidArgument, "the range from {} to {} in steps of {} is too long", start, limit, delta);
}

template <typename T>
void range_of(OpCall& call) {
  const T start = read_scalar<T>(call.input(0), "start");
  const T limit = read_scalar<T>(call.input(1), "limit");
  const T delta = read_scalar<T>(call.input(2), "delta");
  if (!(delta < 0 || delta > 0)) throw_error(ErrorCode::kInvalidArgument, "delta must not be {}", delta);
  const int64_t length = range_length(start, limit, delta);
  std::span<T> out = call.output(0, kDTypeOf<T>, {length}).template mutable_data<T>();
  for (size_t i = 0; i < out.size(); ++i) {
    if constexpr (std::is_integral_v<T>) {
      out[i] = static_cast<T>(static_cast<uint64_t>(start) + i * static_cast<uint64_t>(delta));
    } else {
      out[i] = start + static_cast<T>(i) * delta;
    }
  }
}

void range(OpCall& call) {
  switch (call.input(0).dtype()) {
    case DType::kFloat32: return range_of<float>(call);
    case DType::kFloat64: return range_of<double>(call);
    case DType::kInt16: return range_of<int16_t>(call);
    case DType::kInt32: return range_of<int32_t>(call);
    case DType::kInt64: return range_of<int64_t>(call);
    default: throw_error(ErrorCode::kUnsupported, "Range of {} is not supported", to_string(call.input(0).dtype()));
  }
}

// The number 1 as the bytes of a type.
uint64_t one_as_word(DType dtype) {
  uint64_t word = 1;
  const auto put = [&](auto value) { std::memcpy(&word, &value, sizeof(value)); };
  switch (dtype) {
    case DType::kFloat16: put(uint16_t{0x3C00}); break;
    case DType::kBFloat16: put(uint16_t{0x3F80}); break;
    case DType::kFloat32: put(1.0F); break;
    case DType::kFloat64: put(1.0); break;
    default: break;
  }
  return word;
}

void eye_like(OpCall& call) {
  const Tensor& x = call.input(0);
  require_rank(x, 2, "the input");
  const auto dtype = static_cast<DType>(call.attributes().get_int("dtype", static_cast<int64_t>(x.dtype())));
  if (!is_known(dtype)) throw_error(ErrorCode::kUnsupported, "dtype {} is not supported", static_cast<int>(dtype));
  const int64_t k = call.attributes().get_int("k", 0);
  const int64_t rows = x.dim(0), columns = x.dim(1);
  Tensor& out = call.output(0, dtype, x.shape());
  std::fill_n(out.mutable_bytes(), out.byte_size(), std::byte{0});
  if (k <= -rows || k >= columns) return;
  with_word(byte_size(dtype), [&]<typename T>() {
    T* words = mutable_words<T>(out);
    const T one = static_cast<T>(one_as_word(dtype));
    for (int64_t r = std::max<int64_t>(0, -k); r < rows && r + k < columns; ++r) words[r * columns + r + k] = one;
  });
}

constexpr OpDef kOps[] = {
    {.op_type = "Constant", .run = constant},
    {.op_type = "ConstantOfShape", .run = constant_of_shape},
    {.op_type = "Range", .run = with_16bit_floats<range>},
    {.op_type = "EyeLike", .run = eye_like},
};

}  // namespace

std::span<const OpDef> constant_ops() { return kOps; }

}  // namespace twofold
