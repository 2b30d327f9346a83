// Conv and ConvTranspose: each is the other's gradient.
#include "gradients/families.h"
#include "gradients/unbroadcast.h"
#include "gradients/windows.h"
#include "ops/transposed_window.h"
#include "traits/op_names.h"

namespace twofold {

namespace {

void add_bias(RuleCall& call) {
  if (!call.wants(2)) return;
  Shape per_channel(call.y_shape().size(), 1);
  per_channel[1] = call.y_shape()[1];
  call.add(2, reshape(unbroadcast(call.dy(), call.y_shape(), per_channel), call.x_shape(2)));
}

std::span<const int64_t> kernel_of(const Shape& weights) { return std::span(weights).subspan(2); }

void conv(RuleCall& call) {
  const int64_t group = call.attributes().get_int("group", 1);
  const Shape& x = call.x_shape();
  const auto attributes =
      WindowAttributes::read(call.attributes()).with_rank(spatial_rank(x, "input X"), kernel_of(call.x_shape(1)));
  const std::vector<WindowAxis> axes = window_axes(attributes, x);
  if (call.wants(0)) call.add(0, slide_back(call.dy(), call.x(1), call.x_shape(1), axes, group));
  if (call.wants(1)) call.add(1, slide_weights(call.x(), x, call.dy(), axes, group));
  add_bias(call);
}

void conv_transpose(RuleCall& call) {
  const int64_t group = call.attributes().get_int("group", 1);
  std::vector<WindowAxis> axes =
      TransposedWindow::read(call.attributes()).axes(call.x_shape(), kernel_of(call.x_shape(1)));
  // As those of the convolution that leads back.
  for (WindowAxis& axis : axes) std::swap(axis.input, axis.output);
  if (call.wants(0)) call.add(0, slide(call.dy(), call.x(1), axes, group));
  if (call.wants(1)) call.add(1, slide_weights(call.dy(), call.y_shape(), call.x(), axes, group));
  add_bias(call);
}

constexpr RuleDef kRules[] = {
    {op::kConv, conv},
    {op::kConvTranspose, conv_transpose},
};

}  // namespace

std::span<const RuleDef> conv_gradients() { return kRules; }

}  // namespace twofold
