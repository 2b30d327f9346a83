#include "engine/watched_tensor.h"

#include <algorithm>

#include "base/check.h"
#include "engine/float_chain.h"
#include "numeric/ec.h"

namespace twofold {

namespace {

Tensor ec_integers(const Tensor& real, float scale) {
  const auto count = static_cast<size_t>(real.size());
  std::vector<int8_t> first(count), second(count);
  ec_quantize(real.data<float>(), scale, first, second);
  Tensor joined(DType::kInt16, real.shape());
  ec_join(first, second, joined.mutable_data<int16_t>());
  return joined;
}

}  // namespace

std::optional<IntegerForm> integer_form(const Graph& graph, NodeId reader) {
  if (const auto edge = quantized_tensor(graph, reader)) return IntegerForm{*edge, 0};
  const Node& node = graph.node(reader);
  if (!node.is("EcQuantize", "twofold")) return std::nullopt;
  const float scale = graph.constant(node.inputs[1])->data<float>()[0];
  QuantizedEdge edge{node.outputs[0], node.inputs[0], DType::kInt16, -1, {ec_residual_scale(scale)}, 0};
  return IntegerForm{std::move(edge), scale};
}

Tensor integers_of(const Tensor& real, const IntegerForm& form) {
  return form.ec_scale > 0 ? ec_integers(real, form.ec_scale) : quantized(real, form.edge);
}

Tensor real_numbers_of(const Tensor& integers, const IntegerForm& form) { return dequantized(integers, form.edge); }

const IntegerForm& finest(const WatchedTensor& tensor) {
  TWOFOLD_CHECK(!tensor.integers.empty());
  return *std::ranges::min_element(tensor.integers, {}, [](const IntegerForm& form) { return form.edge.scale[0]; });
}

}  // namespace twofold
