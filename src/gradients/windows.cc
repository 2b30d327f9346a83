#include "gradients/windows.h"

#include <algorithm>
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

Term slide_back(Term dy, Term weights, const std::vector<WindowAxis>& axes, int64_t group) {
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
