#include "gradients/windows.h"

#include <algorithm>
#include <limits>
#include <numeric>

#include "traits/op_names.h"

namespace twofold {

namespace {

using Ints = std::vector<int64_t>;

template <typename Get>
Ints each(const std::vector<WindowAxis>& axes, const Get& get) {
  Ints values;
  for (const WindowAxis& axis : axes) values.push_back(get(axis));
  return values;
}

// The padding behind the input at which the last window ends; negative where it leaves some of the input out.
int64_t needed_end(const WindowAxis& axis) {
  return (axis.output - 1) * axis.stride + axis.extent() - axis.input - axis.pad_begin;
}

Ints joined(Ints begin, const Ints& end) {
  begin.insert(begin.end(), end.begin(), end.end());
  return begin;
}

Term convolve(const char* op_type, Term x, Term weights, const std::vector<WindowAxis>& axes, int64_t group,
              const Ints& output_padding) {
  const Ints pads = joined(each(axes, [](const WindowAxis& axis) { return axis.pad_begin; }),
                           each(axes, [](const WindowAxis& axis) { return std::max<int64_t>(0, needed_end(axis)); }));
  BackwardGraph::AttributeList attributes = {
      {"strides", each(axes, [](const WindowAxis& axis) { return axis.stride; })},
      {"dilations", each(axes, [](const WindowAxis& axis) { return axis.dilation; })},
      {"pads", pads},
      {"group", group}};
  if (!output_padding.empty()) attributes.emplace_back("output_padding", output_padding);
  return x.graph->node(op_type, {x, weights}, attributes);
}

}  // namespace

Term slide(Term x, Term weights, const std::vector<WindowAxis>& axes, int64_t group) {
  const Term y = convolve(op::kConv, x, weights, axes, group, {});
  // Where more than a stride is left of the input, there are windows that are not asked for.
  if (std::ranges::none_of(axes, [](const WindowAxis& axis) { return needed_end(axis) <= -axis.stride; })) return y;
  Ints spatial(axes.size());
  std::iota(spatial.begin(), spatial.end(), int64_t{2});
  BackwardGraph& graph = *x.graph;
  return graph.node(op::kSlice,
                    {y, graph.ints(Ints(axes.size(), 0)),
                     graph.ints(each(axes, [](const WindowAxis& axis) { return axis.output; })), graph.ints(spatial)});
}

namespace {

bool is_strided(const std::vector<WindowAxis>& axes) {
  return std::ranges::any_of(axes, [](const WindowAxis& axis) { return axis.stride > 1; });
}

// In one channel of the result.
int64_t places(const std::vector<WindowAxis>& axes) {
  int64_t product = 1;
  for (const WindowAxis& axis : axes) product *= axis.output;
  return product;
}

// [N,C,o...] with stride - 1 zeros behind every number along each axis.
Term spread(Term x, const std::vector<WindowAxis>& axes, int64_t channels) {
  Shape single = {-1, channels}, whole = {-1, channels};
  Ints behind = {0, 0};
  for (const WindowAxis& axis : axes) {
    single.insert(single.end(), {axis.output, 1});
    whole.push_back(axis.output * axis.stride);
    behind.insert(behind.end(), {0, axis.stride - 1});
  }
  BackwardGraph& graph = *x.graph;
  return reshape(graph.node(op::kPad, {reshape(x, single), graph.ints(joined(Ints(behind.size(), 0), behind))}), whole);
}

// Weights back to front along each axis.
Term reversed(Term weights, size_t spatial) {
  BackwardGraph& graph = *weights.graph;
  Ints axes(spatial);
  std::iota(axes.begin(), axes.end(), int64_t{2});
  const Term last = graph.ints(Ints(spatial, -1));
  return graph.node(op::kSlice, {weights, last, graph.ints(Ints(spatial, std::numeric_limits<int64_t>::min())),
                                 graph.ints(axes), last});
}

// Those of the convolution that leads back, from the result with zeros between its numbers.
std::vector<WindowAxis> axes_back(const std::vector<WindowAxis>& axes) {
  std::vector<WindowAxis> back;
  for (const WindowAxis& axis : axes) {
    back.push_back({.input = axis.output * axis.stride,
                    .output = axis.input,
                    .kernel = axis.kernel,
                    .dilation = axis.dilation,
                    .pad_begin = axis.extent() - 1 - axis.pad_begin});
  }
  return back;
}

}  // namespace

// dx[i] = Σ over k of w[k] * dy[(i + pad - k * dilation) / stride], where that is whole: a ConvTranspose. It is a Conv
// by reversed weights too, of dy with zeros in between. For channels by themselves, and without strides, kernels for
// that are several times faster.
Term slide_back(Term dy, Term weights, const Shape& kernel, const std::vector<WindowAxis>& axes, int64_t group) {
  const bool depthwise = kernel[0] == group && kernel[1] == 1;
  const std::vector<WindowAxis> back = axes_back(axes);
  // Not for windows of padding alone, and not where most of the products would be with zeros.
  constexpr int64_t kMostWork = 8;
  const bool fits = std::ranges::none_of(back, [](const WindowAxis& axis) { return axis.pad_begin < 0; }) &&
                    places(axes) > 0 && places(back) <= kMostWork * places(axes);
  if (fits && depthwise) {
    return slide(is_strided(axes) ? spread(dy, axes, group) : dy, reversed(weights, axes.size()), back, group);
  }
  if (fits && group == 1 && !is_strided(axes)) {
    Ints order(kernel.size());
    std::iota(order.begin(), order.end(), int64_t{0});
    std::swap(order[0], order[1]);
    return slide(dy, reversed(transpose(weights, order), axes.size()), back, 1);
  }
  // What no window has reached is shorter than a stride, as ONNX wants it.
  return convolve(op::kConvTranspose, dy, weights, axes, group,
                  each(axes, [](const WindowAxis& axis) { return std::max<int64_t>(0, -needed_end(axis)); }));
}

// dw[m,c,k] = Σ over n, o of dy[n,m,o] * x[n,c,o * stride + k * dilation - pad]: a convolution of x by dy in which
// images and channels have changed places, and strides and dilations too.
Term slide_weights(Term x, const Shape& x_shape, Term dy, const std::vector<WindowAxis>& axes, int64_t group) {
  const int64_t per_group = x_shape[1] / group;
  std::vector<WindowAxis> swapped;
  Shape split = {x_shape[0], group, per_group}, joined_shape = {per_group, group * x_shape[0]};
  Ints order = {2, 1, 0}, exchange = {1, 0};
  for (const WindowAxis& axis : axes) {
    const auto next = static_cast<int64_t>(split.size());
    order.push_back(next);
    exchange.push_back(next - 1);
    split.push_back(axis.input);
    joined_shape.push_back(axis.input);
    swapped.push_back({.input = axis.input,
                       .output = axis.kernel,
                       .kernel = axis.output,
                       .stride = axis.dilation,
                       .dilation = axis.stride,
                       .pad_begin = axis.pad_begin});
  }
  const Term images = reshape(transpose(reshape(x, split), order), joined_shape);
  return transpose(slide(images, transpose(dy, exchange), swapped, group), exchange);
}

Tensor filled(Shape shape, float value) {
  Tensor tensor(DType::kFloat32, std::move(shape));
  std::ranges::fill(tensor.mutable_data<float>(), value);
  return tensor;
}

}  // namespace twofold
