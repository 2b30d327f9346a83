// Resize: nearest, linear and cubic along any axes, in any layout. Interpolation is separable: axes are resized one
// after another, in the order of the shape, whatever the layout; so both layouts give the same bits.
#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "loops/element.h"
#include "loops/resample.h"
#include "numeric/quantize.h"
#include "ops/arguments.h"
#include "ops/cast.h"
#include "ops/families.h"
#include "ops/resize_rule.h"

namespace twofold {

namespace {

std::vector<float> read_floats(const Tensor& tensor) {
  const Tensor floats = cast(tensor, DType::kFloat32);
  const auto values = floats.data<float>();
  return {values.begin(), values.end()};
}

bool given(const OpCall& call, int i) { return call.has_input(i) && call.input(i).size() > 0; }

void require_count(size_t count, size_t expected, std::string_view what) {
  if (count == expected) return;
  throw_error(ErrorCode::kInvalidModel, "{} has {} values, but {} are expected", what, count, expected);
}

void use_scales(const std::vector<float>& scales, const std::vector<int64_t>& which, std::vector<ResizeAxis>& axes) {
  require_count(scales.size(), which.size(), "scales");
  for (size_t i = 0; i < which.size(); ++i) {
    ResizeAxis& axis = axes[static_cast<size_t>(which[i])];
    axis.scale = scales[i];
    axis.length = scales[i] * static_cast<float>(axis.in);
    if (!(axis.scale > 0) || !(axis.length < 2147483648.0F)) {
      throw_error(ErrorCode::kInvalidArgument, "a dimension of {} cannot be resized by {}", axis.in, axis.scale);
    }
    axis.out = static_cast<int64_t>(axis.length);
  }
}

void use_sizes(const std::vector<int64_t>& sizes, const std::string& policy, const std::vector<int64_t>& which,
               std::vector<ResizeAxis>& axes) {
  require_count(sizes.size(), which.size(), "sizes");
  float smallest = std::numeric_limits<float>::infinity(), largest = 0;
  for (size_t i = 0; i < which.size(); ++i) {
    ResizeAxis& axis = axes[static_cast<size_t>(which[i])];
    if (sizes[i] < 0 || sizes[i] > std::numeric_limits<int32_t>::max() || (axis.in == 0 && sizes[i] > 0)) {
      throw_error(ErrorCode::kInvalidArgument, "a dimension of {} cannot be resized to {}", axis.in, sizes[i]);
    }
    axis.out = sizes[i];
    axis.length = static_cast<float>(sizes[i]);
    if (axis.in > 0 && axis.out > 0) axis.scale = axis.length / static_cast<float>(axis.in);
    axis.by_size = policy == "stretch";
    smallest = std::min(smallest, axis.scale);
    largest = std::max(largest, axis.scale);
  }
  if (policy == "stretch") return;
  if (policy != "not_larger" && policy != "not_smaller") {
    throw_error(ErrorCode::kInvalidModel, "keep_aspect_ratio_policy '{}' does not exist", policy);
  }
  for (int64_t d : which) {
    ResizeAxis& axis = axes[static_cast<size_t>(d)];
    axis.scale = policy == "not_larger" ? smallest : largest;
    axis.length = axis.scale * static_cast<float>(axis.in);
    if (!(axis.length < 2147483647.0F)) {
      throw_error(ErrorCode::kInvalidArgument, "a dimension of {} cannot be resized by {}", axis.in, axis.scale);
    }
    axis.out = static_cast<int64_t>(std::floor(axis.length + 0.5F));
  }
}

// What is to happen to every axis of the input.
std::vector<ResizeAxis> read_axes(const OpCall& call, CoordinateMode mode) {
  const Tensor& x = call.input(0);
  std::vector<ResizeAxis> axes(static_cast<size_t>(x.rank()));
  for (size_t d = 0; d < axes.size(); ++d) {
    axes[d].in = axes[d].out = x.shape()[d];
    if (axes[d].in > std::numeric_limits<int32_t>::max()) {
      throw_error(ErrorCode::kUnsupported, "a dimension of {} is too large to resize", axes[d].in);
    }
    axes[d].length = static_cast<float>(axes[d].in);
  }
  std::vector<int64_t> which(axes.size());
  std::iota(which.begin(), which.end(), 0);
  which = normalize_axes(call.attributes().get_ints("axes", std::move(which)), x.rank());
  if (given(call, 2) == given(call, 3)) {
    throw_error(ErrorCode::kInvalidModel, "exactly one of scales and sizes must be given");
  }
  if (given(call, 2)) {
    use_scales(read_floats(call.input(2)), which, axes);
  } else {
    use_sizes(read_ints(call.input(3), "sizes"), call.attributes().get_string("keep_aspect_ratio_policy", "stretch"),
              which, axes);
  }
  if (mode != CoordinateMode::kTfCropAndResize) return axes;
  if (!given(call, 1)) throw_error(ErrorCode::kInvalidModel, "tf_crop_and_resize needs the input roi");
  const std::vector<float> roi = read_floats(call.input(1));
  require_count(roi.size(), 2 * which.size(), "roi");
  for (size_t i = 0; i < which.size(); ++i) {
    ResizeAxis& axis = axes[static_cast<size_t>(which[i])];
    axis.roi_begin = roi[i];
    axis.roi_end = roi[i + which.size()];
  }
  return axes;
}

bool unchanged(const ResizeAxis& axis) {
  return axis.in == axis.out && axis.scale == 1 && axis.roi_begin == 0 && axis.roi_end == 1;
}

// The tensor as it lies in memory: sizes of all dimensions, outermost first, and the taps of those that are resized
// (nullptr for the others), in the order in which they are applied.
struct ResizeSequence {
  std::vector<int64_t> sizes;
  std::vector<std::pair<size_t, const ResizeTaps*>> steps;

  int64_t before(size_t d) const {
    return std::accumulate(sizes.begin(), sizes.begin() + static_cast<int64_t>(d), int64_t{1}, std::multiplies<>());
  }
  int64_t after(size_t d) const {
    return std::accumulate(sizes.begin() + static_cast<int64_t>(d) + 1, sizes.end(), int64_t{1}, std::multiplies<>());
  }
};

// Calls step(y, x, outer, inner, in, out) until all axes are done. Neighbours in memory go together at the end, as y
// and x, so that what lies between them stays in the cache; else x is nullptr.
template <typename Step>
void for_each_step(const OpCall& call, ResizeSequence sequence, const Tensor& x, Tensor& y, const Step& step) {
  Tensor current = x;
  for (size_t s = 0; s < sequence.steps.size();) {
    const auto [d, taps] = sequence.steps[s];
    const bool pair = s + 2 == sequence.steps.size() && sequence.steps[s + 1].first == d + 1;
    const bool last = pair || s + 1 == sequence.steps.size();
    const int64_t outer = sequence.before(d), inner = sequence.after(pair ? d + 1 : d);
    sequence.sizes[d] = taps->out;
    Tensor result = last ? Tensor() : call.scratch(y.dtype(), sequence.sizes);
    std::byte* out = (last ? y : result).mutable_bytes();
    step(*taps, pair ? sequence.steps[s + 1].second : nullptr, outer, inner, current.bytes(), out);
    current = std::move(result);
    s += pair ? 2 : 1;
  }
}

template <typename T>
void interpolate(const OpCall& call, const ResizeSequence& sequence, const Tensor& x, Tensor& y) {
  for_each_step(call, sequence, x, y,
                [&call](const ResizeTaps& rows, const ResizeTaps* columns, int64_t outer, int64_t inner,
                        const std::byte* in, std::byte* out) {
                  const T* from = reinterpret_cast<const T*>(in);
                  T* to = reinterpret_cast<T*>(out);
                  if (columns == nullptr) return resample_axis(rows, outer, inner, from, to);
                  resample_plane(rows, *columns, outer, inner, from, to, call.allocator());
                });
}

void pick_nearest(const OpCall& call, const ResizeSequence& sequence, const Tensor& x, Tensor& y) {
  const ResizeTaps single{.in = 1, .out = 1, .count = 1, .index = {0}, .weight = {}, .outside = {}};
  for_each_step(call, sequence, x, y,
                [&](const ResizeTaps& rows, const ResizeTaps* columns, int64_t outer, int64_t inner,
                    const std::byte* in, std::byte* out) {
                  pick_plane(byte_size(x.dtype()), rows, columns != nullptr ? *columns : single, outer, inner, in, out);
                });
}

// Gives `value` to every position that lies outside the input on some axis. `sequence` has the sizes of the output.
void extrapolate(const ResizeSequence& sequence, const Tensor& value, Tensor& y) {
  with_word(byte_size(y.dtype()), [&]<typename T>() {
    T* out = mutable_words<T>(y);
    for (const auto& [d, taps] : sequence.steps) {
      const int64_t outer = sequence.before(d), inner = sequence.after(d);
      for (int64_t r = 0; r < outer * taps->out; ++r) {
        if (taps->outside[static_cast<size_t>(r % taps->out)] != 0) {
          std::fill_n(out + r * inner, inner, *words<T>(value));
        }
      }
    }
  });
}

ResizeSequence make_sequence(Layout layout, const std::vector<ResizeAxis>& axes, const std::vector<ResizeTaps>& taps) {
  std::vector<size_t> place(axes.size());  // of each axis in memory
  std::iota(place.begin(), place.end(), size_t{0});
  if (layout == Layout::kChannelsLast) {
    std::iota(place.begin() + 2, place.end(), size_t{1});
    place[1] = place.size() - 1;
  }
  ResizeSequence sequence{std::vector<int64_t>(axes.size()), {}};
  for (size_t d = 0; d < axes.size(); ++d) {
    sequence.sizes[place[d]] = axes[d].in;
    if (!unchanged(axes[d])) sequence.steps.emplace_back(place[d], &taps[d]);
  }
  return sequence;
}

// Interpolates in float32, or in float64 where the input is; integers are rounded to the nearest.
void interpolate_into(const OpCall& call, const ResizeSequence& sequence, const Tensor& x, Tensor& y) {
  if (x.dtype() == DType::kFloat64) return interpolate<double>(call, sequence, x, y);
  if (x.dtype() == DType::kFloat32) return interpolate<float>(call, sequence, x, y);
  Tensor out(DType::kFloat32, y.shape(), x.layout());
  interpolate<float>(call, sequence, cast(x, DType::kFloat32), out);
  if (x.dtype() != DType::kFloat16 && x.dtype() != DType::kBFloat16) {
    for (float& value : out.mutable_data<float>()) value = round_half_even(value);
  }
  y = cast(out, x.dtype());
}

void resize(OpCall& call) {
  const Tensor& x = call.input(0);
  const ResizeRule rule = resize_rule(call.attributes());
  const std::vector<ResizeAxis> axes = read_axes(call, rule.coordinates);
  if (std::ranges::all_of(axes, unchanged)) return call.set_output(0, x);
  Shape shape;
  for (const ResizeAxis& axis : axes) shape.push_back(axis.out);
  Tensor& y = call.output(0, x.dtype(), shape, x.layout());  // refuses a huge shape before any table is made
  if (y.size() == 0) return;
  std::vector<ResizeTaps> taps;
  for (const ResizeAxis& axis : axes)
    taps.push_back(unchanged(axis) ? ResizeTaps() : make_resize_taps(rule, axis, call.allocator()));
  ResizeSequence sequence = make_sequence(x.layout(), axes, taps);
  if (rule.interpolation == Interpolation::kNearest) {
    pick_nearest(call, sequence, x, y);
  } else {
    interpolate_into(call, sequence, x, y);
  }
  if (rule.coordinates != CoordinateMode::kTfCropAndResize) return;
  for (const auto& [d, axis_taps] : sequence.steps) sequence.sizes[d] = axis_taps->out;
  const Tensor value = Tensor::scalar(call.attributes().get_float("extrapolation_value", 0.0F));
  extrapolate(sequence, cast(value, y.dtype()), y);
}

constexpr OpDef kOps[] = {
    {.op_type = "Resize", .run = resize, .any_layout = true},
};

}  // namespace

std::span<const OpDef> resize_ops() { return kOps; }

}  // namespace twofold
