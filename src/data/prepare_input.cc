#include "data/prepare_input.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "data/convert_exactly.h"
#include "data/to_float32.h"
#include "numeric/float_range.h"

namespace twofold {

namespace {

bool fits(const Shape& shape, const TensorType& type) {
  if (!type.shape) return true;
  return std::ranges::equal(shape, *type.shape,
                            [](int64_t found, const Dim& dim) { return dim.value < 0 || dim.value == found; });
}

// A sample that lacks the batch dimension, with one of 1, where the model takes that.
Shape with_batch(const Shape& shape, const TensorType& type) {
  if (!type.shape || type.shape->size() != shape.size() + 1) return shape;
  const int64_t batch = type.shape->front().value;
  if (batch >= 0 && batch != 1) return shape;
  Shape result = shape;
  result.insert(result.begin(), 1);
  return result;
}

void check_count(size_t count, const Tensor& tensor, const char* list, const std::string& name) {
  if (count <= 1) return;
  const auto channels = tensor.rank() < 2 ? 0 : static_cast<size_t>(tensor.dim(1));
  if (count != channels) {
    throw_error(ErrorCode::kInvalidArgument,
                "input '{}': {} has {} values, but the input has shape {}; give one value, or one per index of axis 1",
                name, list, count, to_string(tensor.shape()));
  }
}

void apply(const Preprocess& preprocess, Tensor& tensor, const std::string& name) {
  check_count(preprocess.mean.size(), tensor, "mean", name);
  check_count(preprocess.scale.size(), tensor, "scale", name);
  if (tensor.size() == 0) return;
  const size_t channels = tensor.rank() < 2 ? 1 : static_cast<size_t>(tensor.dim(1));
  const size_t outer = tensor.rank() < 2 ? 1 : static_cast<size_t>(tensor.dim(0));
  const std::span<float> x = tensor.mutable_data<float>();
  const size_t row = x.size() / outer / channels;
  const auto pick = [](const std::vector<float>& list, size_t channel, float none) {
    return list.empty() ? none : list[list.size() == 1 ? 0 : channel];
  };
  for (size_t i = 0; i < outer * channels; ++i) {
    const float mean = pick(preprocess.mean, i % channels, 0.0F);
    const float scale = pick(preprocess.scale, i % channels, 1.0F);
    for (float& v : x.subspan(i * row, row)) v = (v - mean) * scale;
  }
}

void check_finite(const Tensor& tensor, const InputSpec& input, const std::string& source) {
  if (tensor.dtype() == DType::kFloat64) {
    if (std::ranges::all_of(tensor.data<double>(), [](double v) { return std::isfinite(v); })) return;
  } else if (tensor.dtype() != DType::kFloat32 || tensor.size() == 0 || float_range(tensor.data<float>()).finite) {
    return;
  }
  throw_error(ErrorCode::kInvalidArgument, "{}: the data for input '{}' hold NaN or infinity", source, input.name);
}

}  // namespace

std::string to_string(const TensorType& type) {
  if (!type.shape) return "any shape";
  std::string text;
  for (const Dim& dim : *type.shape) {
    if (!text.empty()) text += ',';
    text += dim.value >= 0 ? std::to_string(dim.value) : dim.symbol.empty() ? "?" : dim.symbol;
  }
  return "[" + text + "]";
}

Tensor prepare_input(const Tensor& tensor, const InputSpec& input, const Preprocess* preprocess,
                     const std::string& source) {
  const Shape shape = with_batch(tensor.shape(), input.type);
  Tensor result = tensor.reshaped(shape);
  if (input.type.dtype == DType::kFloat32) {
    result = to_float32(result);
  } else if (input.type.dtype != DType::kUndefined) {
    result = convert_exactly(result, input.type.dtype, fmt::format("{}: input '{}'", source, input.name));
  }
  const bool right_type =
      result.defined() && (input.type.dtype == DType::kUndefined || result.dtype() == input.type.dtype);
  if (!right_type || !fits(shape, input.type)) {
    throw_error(ErrorCode::kInvalidArgument, "{}: input '{}' expects {} of shape {}, but the data are {} of shape {}",
                source, input.name, to_string(input.type.dtype), to_string(input.type), to_string(tensor.dtype()),
                to_string(tensor.shape()));
  }
  if (tensor.size() == 0) {
    throw_error(ErrorCode::kInvalidArgument, "{}: the data for input '{}' have shape {}, which holds nothing", source,
                input.name, to_string(tensor.shape()));
  }
  if (preprocess != nullptr) {
    if (result.dtype() != DType::kFloat32) {
      throw_error(ErrorCode::kInvalidArgument, "input '{}' is {}: mean and scale are for float32 inputs only",
                  input.name, to_string(result.dtype()));
    }
    apply(*preprocess, result, input.name);
  }
  check_finite(result, input, source);
  return result;
}

}  // namespace twofold
