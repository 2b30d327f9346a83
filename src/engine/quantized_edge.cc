#include "engine/quantized_edge.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <functional>

#include "base/check.h"
#include "numeric/integer_limits.h"
#include "numeric/quantize_tensor.h"
#include "ops/zero_points.h"
#include "traits/op_names.h"

namespace twofold {

namespace {

// No tensor has more axes.
constexpr int64_t kMaxRank = 64;

// The one zero point of all channels; nothing where they differ or are no zero points.
std::optional<int32_t> common_zero_point(const Tensor& zero_points) {
  const auto values = zero_point_values(zero_points);
  if (!values || values->empty() || std::ranges::adjacent_find(*values, std::not_equal_to<>()) != values->end()) {
    return std::nullopt;
  }
  return values->front();
}

std::optional<QuantizedEdge> read_parameters(const Graph& graph, const Node& node) {
  const Tensor* scale = graph.constant(node.input(1));
  if (scale == nullptr || scale->dtype() != DType::kFloat32 || scale->size() == 0 || scale->rank() > 1 ||
      node.attributes.get_int("block_size", 0) != 0) {
    return std::nullopt;
  }
  QuantizedEdge edge;
  for (float s : scale->data<float>()) {
    if (!(s > 0) || !std::isfinite(s)) return std::nullopt;
    edge.scale.push_back(s);
  }
  if (edge.scale.size() > 1) {
    const int64_t axis = node.attributes.get_int("axis", 1);
    if (std::abs(axis) > kMaxRank) return std::nullopt;
    edge.axis = static_cast<int>(axis);
  }
  if (node.input(2) != kNone) {
    const Tensor* zero_points = graph.constant(node.input(2));
    if (zero_points == nullptr || zero_points->size() != scale->size()) return std::nullopt;
    const std::optional<int32_t> common = common_zero_point(*zero_points);
    if (!common) return std::nullopt;
    edge.zero_point = *common;
    edge.dtype = zero_points->dtype();
  }
  return edge;
}

// The type of integers on an edge: a constant's own, that of the QuantizeLinear in front, or the declared one.
DType integer_type(const Graph& graph, ValueId integers) {
  if (const Tensor* constant = graph.constant(integers)) return constant->dtype();
  const NodeId source = graph.producer(integers);
  if (source == kNone || !graph.node(source).is(op::kQuantizeLinear)) return graph.value(integers).type.dtype;
  const auto quantizer = quantized_edge(graph, source);
  return quantizer ? quantizer->dtype : DType::kUndefined;
}

}  // namespace

std::optional<QuantizedEdge> dequantized_edge(const Graph& graph, ValueId real) {
  const NodeId producer = real == kNone ? kNone : graph.producer(real);
  if (producer == kNone || !graph.node(producer).is(op::kDequantizeLinear)) return std::nullopt;
  const Node& node = graph.node(producer);
  std::optional<QuantizedEdge> edge = read_parameters(graph, node);
  if (!edge) return edge;
  edge->integers = node.input(0);
  edge->real = real;
  const DType integers = integer_type(graph, edge->integers);
  if (edge->dtype == DType::kUndefined) edge->dtype = integers;
  // A zero point of another type than the integers is an error, which the operator itself reports.
  const bool fits = integers == DType::kUndefined || integers == edge->dtype;
  if (edge->dtype == DType::kUndefined || !fits) return std::nullopt;
  return edge;
}

std::optional<QuantizedEdge> quantized_edge(const Graph& graph, NodeId id) {
  const Node& node = graph.node(id);
  if (!node.is(op::kQuantizeLinear)) return std::nullopt;
  std::optional<QuantizedEdge> edge = read_parameters(graph, node);
  if (!edge) return edge;
  edge->real = node.input(0);
  edge->integers = node.output(0);
  if (edge->dtype == DType::kUndefined) {
    const int64_t asked = node.attributes.get_int("output_dtype", 0);
    edge->dtype = asked == 0 ? DType::kUInt8 : static_cast<DType>(asked);
  }
  return edge;
}

namespace {

ChannelScales scales_of(const Shape& shape, const QuantizedEdge& edge) {
  TWOFOLD_CHECK(edge.scale.size() == 1 && is_operand_type(edge.dtype));
  return {shape, -1, edge.scale, {&edge.zero_point, 1}};
}

}  // namespace

Tensor quantized(const Tensor& real, const QuantizedEdge& edge) {
  Tensor integers(edge.dtype, real.shape());
  quantize(real, scales_of(real.shape(), edge), integers);
  return integers;
}

Tensor dequantized(const Tensor& integers, const QuantizedEdge& edge) {
  Tensor real(DType::kFloat32, integers.shape(), integers.layout());
  dequantize(integers, scales_of(integers.shape(), edge), real);
  return real;
}

}  // namespace twofold
