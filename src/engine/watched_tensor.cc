#include "engine/watched_tensor.h"

#include <algorithm>

#include "base/check.h"
#include "dialect/domain.h"
#include "dialect/ec_quantize_node.h"
#include "engine/float_chain.h"
#include "numeric/ec.h"
#include "numeric/quantize_tensor.h"

namespace twofold {

std::optional<IntegerForm> integer_form(const Graph& graph, NodeId reader) {
  if (const auto edge = quantized_tensor(graph, reader)) return IntegerForm{*edge, 0};
  const Node& node = graph.node(reader);
  if (!node.is(EcQuantizeNode::kOpType, kDialect)) return std::nullopt;
  const float scale = graph.constant(node.inputs[1])->data<float>()[0];
  QuantizedEdge edge{node.outputs[0], node.inputs[0], DType::kInt16, -1, {ec_residual_scale(scale)}, 0};
  return IntegerForm{std::move(edge), scale};
}

Tensor integers_of(const Tensor& real, const IntegerForm& form) {
  if (form.ec_scale > 0) return quantize(real, {QType::kEc, -1, {form.ec_scale}, {}});
  return quantized(real, form.edge);
}

Tensor real_numbers_of(const Tensor& integers, const IntegerForm& form) { return dequantized(integers, form.edge); }

const IntegerForm& finest(const WatchedTensor& tensor) {
  TWOFOLD_CHECK(!tensor.integers.empty());
  return *std::ranges::min_element(tensor.integers, {}, [](const IntegerForm& form) { return form.edge.scale[0]; });
}

}  // namespace twofold
