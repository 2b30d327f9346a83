#include "ops/transposed_window.h"

#include <algorithm>

#include "base/error.h"

namespace twofold {

TransposedWindow TransposedWindow::read(const Attributes& attributes) {
  return {WindowAttributes::read(attributes), attributes.get_ints("output_padding", {}),
          attributes.get_ints("output_shape", {})};
}

std::vector<WindowAxis> TransposedWindow::axes(const Shape& x, std::span<const int64_t> kernel) const {
  const size_t count = kernel.size();
  const WindowAttributes ranked = window.with_rank(static_cast<int>(count), kernel);
  if ((!output_padding.empty() && output_padding.size() != count) ||
      (!output_shape.empty() && output_shape.size() != count)) {
    throw_error(ErrorCode::kInvalidModel, "output_padding {} and output_shape {} must have {} values",
                to_string(output_padding), to_string(output_shape), count);
  }
  std::vector<WindowAxis> result(count);
  for (size_t i = 0; i < count; ++i) {
    WindowAxis& axis = result[i];
    axis = ranked.axis(i, x[i + 2]);
    const int64_t extra = output_padding.empty() ? 0 : output_padding[i];
    if (extra < 0 || extra >= std::max(axis.stride, axis.dilation)) {
      throw_error(ErrorCode::kInvalidModel, "output_padding {} must be below the stride or the dilation",
                  to_string(output_padding));
    }
    if (axis.input < 1) throw_error(ErrorCode::kInvalidModel, "input X {} has no elements", to_string(x));
    int64_t full = 0;
    if (__builtin_mul_overflow(axis.input - 1, axis.stride, &full) || full > (int64_t{1} << 40)) {
      throw_error(ErrorCode::kResourceExhausted, "the output along spatial axis {} is too large", i);
    }
    full += extra + axis.extent();
    const bool same = ranked.auto_pad == AutoPad::kSameUpper || ranked.auto_pad == AutoPad::kSameLower;
    if (output_shape.empty() && !same) {
      axis.output = full - axis.pad_begin - axis.pad_end;
    } else {
      axis.output = output_shape.empty() ? axis.input * axis.stride : output_shape[i];
      const int64_t total = std::max<int64_t>(0, full - axis.output);
      axis.pad_begin = ranked.auto_pad == AutoPad::kSameUpper ? total / 2 : total - total / 2;
    }
    if (axis.output < 1) {
      throw_error(ErrorCode::kInvalidModel, "the output along spatial axis {} would have {} positions", i, axis.output);
    }
    // What is left over at the end: negative where output_padding adds positions that nothing reaches.
    axis.pad_end = full - extra - axis.output - axis.pad_begin;
  }
  return result;
}

bool TransposedWindow::tiles(std::span<const int64_t> kernel) const {
  const auto all = [](const std::vector<int64_t>& values, int64_t value) {
    return std::ranges::all_of(values, [=](int64_t v) { return v == value; });
  };
  const WindowAttributes ranked = window.with_rank(static_cast<int>(kernel.size()), kernel);
  return ranked.auto_pad == AutoPad::kNotSet && output_shape.empty() && all(output_padding, 0) && all(ranked.pads, 0) &&
         all(ranked.dilations, 1) && std::ranges::equal(ranked.strides, kernel);
}

}  // namespace twofold
