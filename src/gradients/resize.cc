// Resize. Along each axis it is a matrix, the same for all rows, and the axes are independent: the gradient goes
// through the transposed matrices.
#include <algorithm>
#include <numeric>

#include "gradients/families.h"
#include "loops/resize_taps.h"
#include "ops/arguments.h"
#include "ops/resize_rule.h"
#include "traits/op_names.h"

namespace twofold {

namespace {

const Tensor* constant(RuleCall& call, int i) { return call.backward().forward().constant(call.node().input(i)); }

// True for an input that is there and not empty, so that ONNX takes it for given.
bool given(const RuleCall& call, int i) { return call.has_input(i) && num_elements(call.x_shape(i)) > 0; }

// The axes of the input; absent, and said why, where they cannot be told before a run.
std::optional<std::vector<ResizeAxis>> read_axes(RuleCall& call, const ResizeRule& rule) {
  const Shape &x = call.x_shape(), &y = call.y_shape();
  std::vector<ResizeAxis> axes(x.size());
  for (size_t d = 0; d < x.size(); ++d) {
    const auto in = static_cast<float>(x[d]), out = static_cast<float>(y[d]);
    axes[d] = {.in = x[d], .out = y[d], .scale = x[d] > 0 && y[d] > 0 ? out / in : 1.0F, .length = out};
  }
  std::vector<int64_t> which(axes.size());
  std::iota(which.begin(), which.end(), int64_t{0});
  which = normalize_axes(call.attributes().get_ints("axes", which), call.rank());
  const auto refuse = [&](const char* why) {
    call.lacks(0, why);
    return std::nullopt;
  };
  const auto floats = [&](int i) -> std::span<const float> {
    const Tensor* tensor = constant(call, i);
    if (tensor == nullptr || tensor->dtype() != DType::kFloat32) return {};
    return tensor->data<float>();
  };
  if (given(call, 2)) {
    const std::span<const float> scales = floats(2);
    if (scales.size() != which.size()) return refuse("its scales are known only at run time");
    for (size_t i = 0; i < which.size(); ++i) {
      ResizeAxis& axis = axes[static_cast<size_t>(which[i])];
      axis.scale = scales[i];
      axis.length = scales[i] * static_cast<float>(axis.in);
    }
  } else if (call.attributes().get_string("keep_aspect_ratio_policy", "stretch") != "stretch") {
    return refuse("no rule for keep_aspect_ratio_policy");
  }
  if (rule.coordinates != CoordinateMode::kTfCropAndResize) return axes;
  const std::span<const float> roi = floats(1);
  if (roi.size() != 2 * which.size()) return refuse("its roi is known only at run time");
  for (size_t i = 0; i < which.size(); ++i) {
    axes[static_cast<size_t>(which[i])].roi_begin = roi[i];
    axes[static_cast<size_t>(which[i])].roi_end = roi[i + which.size()];
  }
  return axes;
}

bool unchanged(const ResizeAxis& axis) {
  return axis.in == axis.out && axis.scale == 1 && axis.roi_begin == 0 && axis.roi_end == 1;
}

// [in,out]: how much each input counts in each output.
Tensor transposed_matrix(const ResizeTaps& taps) {
  Tensor matrix(DType::kFloat32, {taps.in, taps.out});
  const std::span<float> data = matrix.mutable_data<float>();
  std::ranges::fill(data, 0.0F);
  for (int64_t tap = 0; tap < taps.count; ++tap) {
    for (int64_t x = 0; x < taps.out; ++x) {
      const auto at = static_cast<size_t>(tap * taps.out + x);
      const bool outside = !taps.outside.empty() && taps.outside[static_cast<size_t>(x)] != 0;
      if (!outside)
        data[static_cast<size_t>(taps.index[at] * taps.out + x)] += taps.weight.empty() ? 1.0F : taps.weight[at];
    }
  }
  return matrix;
}

// Each input is repeated out / in times, next to each other: the common case of upsampling.
bool repeats(const ResizeTaps& taps) {
  if (!taps.weight.empty() || !taps.outside.empty() || taps.out % taps.in != 0) return false;
  const int64_t times = taps.out / taps.in;
  for (int64_t x = 0; x < taps.out; ++x) {
    if (taps.index[static_cast<size_t>(x)] != x / times) return false;
  }
  return true;
}

void resize(RuleCall& call) {
  for (const int i : {1, 2}) call.lacks(i, "no rule for a roi or scales that are computed");
  if (!call.wants(0)) return;
  const ResizeRule rule = resize_rule(call.attributes());
  const auto read = read_axes(call, rule);
  if (!read) return;
  const std::vector<ResizeAxis>& axes = *read;
  Term gradient = call.dy();
  Shape shape = call.y_shape();
  if (num_elements(shape) == 0) return call.add(0, call.backward().zeros(call.x_shape()));
  for (size_t d = 0; d < axes.size(); ++d) {
    if (unchanged(axes[d])) continue;
    const ResizeTaps taps = make_resize_taps(rule, axes[d], nullptr);
    const auto axis = shape.begin() + static_cast<int64_t>(d);
    const int64_t before = num_elements({shape.begin(), axis}), after = num_elements({axis + 1, shape.end()});
    if (repeats(taps)) {
      gradient = reduce_sum(reshape(gradient, {before, taps.in, taps.out / taps.in, after}), {2});
    } else {
      gradient =
          matmul(call.backward().constant(transposed_matrix(taps)), reshape(gradient, {before, taps.out, after}));
    }
    shape[d] = axes[d].in;
    gradient = reshape(gradient, shape);
  }
  call.add(0, gradient);
}

constexpr RuleDef kRules[] = {{op::kResize, resize}};

}  // namespace

std::span<const RuleDef> resize_gradients() { return kRules; }

}  // namespace twofold
