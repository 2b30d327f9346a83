#include "quantize/fit_biases.h"

#include <algorithm>
#include <cmath>

#include "traits/gemm_type.h"

namespace twofold {

namespace {

// The constant float bias of a node, if it has one.
const Tensor* float_bias(const Graph& graph, const Node& node) {
  const Tensor* bias = takes_bias(node) ? graph.constant(node.input(2)) : nullptr;
  return bias != nullptr && bias->dtype() == DType::kFloat32 ? bias : nullptr;
}

}  // namespace

void fit_biases(const Graph& graph, const std::function<float(const Node&)>& abs_max, Plan& plan) {
  for (const OperandPlan& planned : plan.operands()) {
    if (!planned.is_weight || !planned.params || !is_integer(planned.granted)) continue;
    const Node& node = graph.node(graph.find_node(planned.node));
    const Tensor* bias = float_bias(graph, node);
    const float seen = bias == nullptr ? 0 : abs_max(node);
    if (seen == 0) continue;
    std::vector<float>& scale = plan.find(planned.node, planned.operand)->params->scale;
    const double steps = planned.granted == QType::kInt16 ? 0x1p34 : 0x1p26;
    const double unit = static_cast<double>(seen) / 127;
    const std::span<const float> values = bias->data<float>();
    for (size_t c = 0; c < values.size(); ++c) {
      float& s_b = scale[c % scale.size()];
      s_b = std::max(s_b, static_cast<float>(std::fabs(values[c]) / (unit * steps)));
    }
  }
}

void fit_biases(const Graph& graph, Ranges& ranges, Plan& plan) {
  const auto abs_max = [&](const Node& node) {
    const RangeStatistics* seen = ranges.seen(graph.find_node(node.name), OperandRef::input(0));
    return seen == nullptr ? 0 : seen->abs_max();
  };
  fit_biases(graph, abs_max, plan);
}

}  // namespace twofold
