#include "ops/window.h"

#include <algorithm>

#include "base/error.h"

namespace twofold {

namespace {

constexpr int64_t kLimit = int64_t{1} << 31;  // what sizes are held to, so that no product of two overflows

AutoPad parse_auto_pad(const std::string& text) {
  if (text == "NOTSET") return AutoPad::kNotSet;
  if (text == "VALID") return AutoPad::kValid;
  if (text == "SAME_UPPER") return AutoPad::kSameUpper;
  if (text == "SAME_LOWER") return AutoPad::kSameLower;
  throw_error(ErrorCode::kInvalidModel, "auto_pad '{}' must be NOTSET, VALID, SAME_UPPER or SAME_LOWER", text);
}

void check_range(const std::vector<int64_t>& values, const char* name, int64_t least) {
  for (int64_t value : values) {
    if (value < least || value >= kLimit) {
      throw_error(ErrorCode::kInvalidModel, "{} has the value {}; it must be at least {} and below 2^31", name, value,
                  least);
    }
  }
}

std::vector<int64_t> filled(const std::vector<int64_t>& values, size_t count, int64_t fallback, const char* name) {
  if (values.empty()) return std::vector<int64_t>(count, fallback);
  if (values.size() != count) {
    throw_error(ErrorCode::kInvalidModel, "{} has {} values, but the input needs {}", name, values.size(), count);
  }
  return values;
}

}  // namespace

WindowAttributes WindowAttributes::read(const Attributes& attributes) {
  WindowAttributes result;
  result.kernel = attributes.get_ints("kernel_shape", {});
  result.strides = attributes.get_ints("strides", {});
  result.dilations = attributes.get_ints("dilations", {});
  result.pads = attributes.get_ints("pads", {});
  result.auto_pad = parse_auto_pad(attributes.get_string("auto_pad", "NOTSET"));
  result.ceil_mode = attributes.get_int("ceil_mode", 0) != 0;
  check_range(result.kernel, "kernel_shape", 1);
  check_range(result.strides, "strides", 1);
  check_range(result.dilations, "dilations", 1);
  check_range(result.pads, "pads", 0);
  return result;
}

WindowAttributes WindowAttributes::with_rank(int spatial, std::span<const int64_t> weights_kernel) const {
  const auto count = static_cast<size_t>(spatial);
  WindowAttributes result = *this;
  if (kernel.empty()) result.kernel.assign(weights_kernel.begin(), weights_kernel.end());
  if (result.kernel.empty()) throw_error(ErrorCode::kInvalidModel, "attribute kernel_shape is required but missing");
  result.kernel = filled(result.kernel, count, 1, "kernel_shape");
  check_range(result.kernel, "kernel_shape", 1);
  if (!weights_kernel.empty() && !std::equal(weights_kernel.begin(), weights_kernel.end(), result.kernel.begin())) {
    throw_error(ErrorCode::kInvalidModel, "kernel_shape {} differs from the weights' {}", to_string(result.kernel),
                to_string(Shape(weights_kernel.begin(), weights_kernel.end())));
  }
  result.strides = filled(strides, count, 1, "strides");
  result.dilations = filled(dilations, count, 1, "dilations");
  result.pads = filled(auto_pad == AutoPad::kNotSet ? pads : std::vector<int64_t>(), 2 * count, 0, "pads");
  return result;
}

WindowAxis WindowAttributes::axis(size_t i, int64_t input) const {
  return {input, 0, kernel[i], strides[i], dilations[i], pads[i], pads[i + kernel.size()]};
}

std::vector<WindowAxis> window_axes(const WindowAttributes& attributes, const Shape& input) {
  const size_t count = attributes.kernel.size();
  std::vector<WindowAxis> axes(count);
  for (size_t i = 0; i < count; ++i) {
    WindowAxis& axis = axes[i];
    axis = attributes.axis(i, input[i + 2]);
    if (axis.input >= kLimit || axis.kernel * axis.dilation >= kLimit) {
      throw_error(ErrorCode::kUnsupported, "spatial axis {} is too large (input {}, kernel {}, dilation {})", i,
                  axis.input, axis.kernel, axis.dilation);
    }
    if (attributes.auto_pad == AutoPad::kSameUpper || attributes.auto_pad == AutoPad::kSameLower) {
      axis.output = (axis.input + axis.stride - 1) / axis.stride;
      const int64_t total = std::max<int64_t>(0, (axis.output - 1) * axis.stride + axis.extent() - axis.input);
      axis.pad_begin = attributes.auto_pad == AutoPad::kSameUpper ? total / 2 : total - total / 2;
      axis.pad_end = total - axis.pad_begin;
      continue;
    }
    const int64_t room = axis.input + axis.pad_begin + axis.pad_end - axis.extent();
    if (room < 0) {
      throw_error(
          ErrorCode::kInvalidModel,
          "the window does not fit spatial axis {}: it spans {} positions, but the input has {} and the padding "
          "{}",
          i, axis.extent(), axis.input, axis.pad_begin + axis.pad_end);
    }
    axis.output = room / axis.stride + 1;
    // A last window that would start in the padding behind the input is left out, as ONNX says.
    if (attributes.ceil_mode && room % axis.stride != 0 && axis.start(axis.output) < axis.input) ++axis.output;
  }
  return axes;
}

int spatial_rank(const Shape& shape, const char* what) {
  const int spatial = static_cast<int>(shape.size()) - 2;
  if (spatial < 1) {
    throw_error(ErrorCode::kInvalidModel, "{} has shape {}; it must be [N,C,spatial...]", what, to_string(shape));
  }
  if (spatial > 3) {
    throw_error(ErrorCode::kUnsupported, "{} has shape {}; more than 3 spatial dimensions are not supported", what,
                to_string(shape));
  }
  return spatial;
}

}  // namespace twofold
