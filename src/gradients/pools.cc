// Pools over windows and over all of an image, and MaxUnpool.
#include <algorithm>
#include <numeric>

#include "gradients/families.h"
#include "gradients/scatter_back.h"
#include "gradients/windows.h"
#include "loops/pool_taps.h"
#include "ops/window.h"
#include "traits/op_names.h"

namespace twofold {

namespace {

std::vector<WindowAxis> pool_axes(const RuleCall& call) {
  const Shape& x = call.x_shape();
  return window_axes(WindowAttributes::read(call.attributes()).with_rank(spatial_rank(x, "input X"), {}), x);
}

// The sum over the windows that each input stands in of `term`, one number per window.
Term sum_of_windows(RuleCall& call, Term term, const std::vector<WindowAxis>& axes) {
  const int64_t channels = call.x_shape()[1];
  Shape kernel = {channels, 1};
  for (const WindowAxis& axis : axes) kernel.push_back(axis.kernel);
  return slide_back(term, call.backward().constant(filled(kernel, 1.0F)), kernel, axes, channels);
}

// Elements of a batch that are equally large leave the gradient to the first of a window.
void max_of_windows(RuleCall& call, const BackwardGraph::AttributeList& window, bool may_be_empty) {
  const Term position = call.backward().outputs(op::kMaxPool, {call.x()}, window, 2)[1];
  // A window that lies in the padding altogether has position -1: that of an element behind all others.
  call.add(0, scatter_back(call.backward(), position, call.dy(), call.x_shape(), may_be_empty));
}

void max_pool(RuleCall& call) {
  const std::vector<WindowAxis> axes = pool_axes(call);
  BackwardGraph::AttributeList window;
  for (const auto& [name, value] : call.attributes()) {
    if (name != "storage_order") window.emplace_back(name, value);
  }
  const bool may_be_empty = std::ranges::any_of(axes, [](const WindowAxis& axis) {
    return axis.pad_begin >= axis.extent() || axis.start(axis.output - 1) >= axis.input;
  });
  max_of_windows(call, window, may_be_empty);
}

void global_max_pool(RuleCall& call) {
  const Shape& shape = call.x_shape();
  max_of_windows(call, {{"kernel_shape", std::vector<int64_t>(shape.begin() + 2, shape.end())}}, false);
}

// 1 / (elements of each window), [1,1,windows...].
Tensor inverse_counts(const std::vector<WindowAxis>& axes, bool include_padding) {
  PoolGeometry geometry;
  geometry.axes.fill({1, 1});
  std::ranges::copy(axes, geometry.axes.end() - static_cast<int64_t>(axes.size()));
  Shape shape = {1, 1};
  for (const WindowAxis& axis : axes) shape.push_back(axis.output);
  Tensor counts(DType::kFloat32, shape);
  int64_t window = 0;
  for (float& value : counts.mutable_data<float>()) {
    const double count = count_taps(geometry, window++, include_padding);
    value = count == 0 ? 0.0F : static_cast<float>(1.0 / count);
  }
  return counts;
}

void average_pool(RuleCall& call) {
  const std::vector<WindowAxis> axes = pool_axes(call);
  const bool include_padding = call.attributes().get_int("count_include_pad", 0) != 0;
  const Term share = call.dy() * call.backward().constant(inverse_counts(axes, include_padding));
  call.add(0, sum_of_windows(call, share, axes));
}

void global_average_pool(RuleCall& call) {
  const Shape& x = call.x_shape();
  const int64_t count = num_elements({x.begin() + 2, x.end()});
  call.add(0, expand(call.dy() / static_cast<float>(count), x));
}

// The derivative of |x|^p / p.
Term power_slope(Term x, int64_t p) {
  if (p == 1) return sign(x);
  if (p == 2) return x;
  return sign(x) * pow(abs(x), static_cast<float>(p - 1));
}

// dy * y^(1 - p); 0 where the norm is.
Term per_norm(RuleCall& call, int64_t p) {
  if (p == 1) return call.dy();
  const Term y = call.y(), power = p == 2 ? y : pow(y, static_cast<float>(p - 1));
  return where(equal(y, 0.0F), 0.0F, call.dy() / power);
}

void lp_pool(RuleCall& call) {
  const int64_t p = call.attributes().get_int("p", 2);
  call.add(0, power_slope(call.x(), p) * sum_of_windows(call, per_norm(call, p), pool_axes(call)));
}

void global_lp_pool(RuleCall& call) {
  const int64_t p = call.attributes().get_int("p", 2);
  call.add(0, power_slope(call.x(), p) * per_norm(call, p));
}

// Puts each number at its position in the result.
void max_unpool(RuleCall& call) {
  if (call.has_input(2)) return call.lacks(0, "no rule for an output_shape");
  BackwardGraph& backward = call.backward();
  const Term flat = reshape(call.dy(), {num_elements(call.y_shape())});
  call.add(0, backward.node(op::kGather, {flat, call.x(1)}));
}

constexpr RuleDef kRules[] = {
    {op::kAveragePool, average_pool},
    {op::kGlobalAveragePool, global_average_pool},
    {op::kGlobalLpPool, global_lp_pool},
    {op::kGlobalMaxPool, global_max_pool},
    {op::kLpPool, lp_pool},
    {op::kMaxPool, max_pool},
    {op::kMaxUnpool, max_unpool},
};

}  // namespace

std::span<const RuleDef> pool_gradients() { return kRules; }

}  // namespace twofold
