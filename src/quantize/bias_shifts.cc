#include "quantize/bias_shifts.h"

#include <utility>

namespace twofold {

Tensor shifted_bias(const Graph& graph, const Node& node, std::span<const float> shift) {
  Tensor bias = Tensor::from<float>({static_cast<int64_t>(shift.size())}, shift);
  if (const Tensor* own = graph.constant(node.input(2))) {
    const std::span<float> sum = bias.mutable_data<float>();
    for (size_t i = 0; i < sum.size(); ++i) sum[i] += own->data<float>()[i];
  }
  return bias;
}

void shift_bias(Graph& graph, NodeId id, std::span<const float> shift) {
  const Node& node = graph.node(id);
  const std::string name = graph.unique_value_name(node.name + "_corrected_bias");
  Tensor bias = shifted_bias(graph, node, shift);
  graph.set_input(id, 2, graph.add_constant(name, std::move(bias)));
}

void shift_biases(const Plan& plan, Graph& graph) {
  for (const OperandPlan& operand : plan.operands()) {
    if (!operand.bias_shift.empty()) shift_bias(graph, graph.find_node(operand.node), operand.bias_shift);
  }
}

}  // namespace twofold
