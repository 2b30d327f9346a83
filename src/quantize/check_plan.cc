#include "quantize/check_plan.h"

#include <fmt/format.h>

#include "base/error.h"
#include "plan/operands.h"
#include "quantize/decide.h"
#include "traits/gemm_type.h"
#include "traits/op_names.h"
#include "traits/op_traits.h"

namespace twofold {

namespace {

[[noreturn]] void fail(const OperandPlan& operand, std::string_view what) {
  throw_error(ErrorCode::kInvalidArgument, "the plan does not fit the model: node '{}' ({}) {}: {}", operand.node,
              operand.op_type, to_string(operand.operand), what);
}

void check_scales(const OperandPlan& operand, const Tensor* constant) {
  if (!is_integer(operand.granted)) return;
  if (!operand.params) fail(operand, fmt::format("it is {}, but has no scale", to_string(operand.granted)));
  const QParams& params = *operand.params;
  if (!params.zero_point.empty() && (constant != nullptr || operand.granted == QType::kEc)) {
    fail(operand, "only activations in int8 or int16 have a zero point");
  }
  if (params.axis < 0) return;
  if (constant == nullptr || params.axis >= constant->rank()) {
    fail(operand, "only a constant has a scale for each index of one of its axes");
  }
  const auto size = static_cast<size_t>(constant->dim(params.axis));
  if (params.scale.size() != size) {
    fail(operand, fmt::format("it has {} scales, but axis {} of '{}' has {} indices", params.scale.size(), params.axis,
                              operand.value, size));
  }
}

// The number of output channels of a node that can take a bias.
int64_t output_channels(const Graph& graph, const Node& node) {
  const Tensor* weight = graph.constant(node.input(1));
  const int axis = weight == nullptr ? -1 : output_channel_axis(node, 1, weight->rank());
  if (axis < 0 || axis >= weight->rank()) return 0;
  return weight->dim(axis) * (node.is(op::kConvTranspose) ? node.attributes.get_int("group", 1) : 1);
}

void check_shift(const Graph& graph, const Node& node, const OperandPlan& operand) {
  if (operand.bias_shift.empty()) return;
  const int64_t channels = takes_bias(node) ? output_channels(graph, node) : 0;
  const Tensor* bias = graph.constant(node.input(2));
  const bool fits = node.input(2) == kNone || (bias != nullptr && bias->shape() == Shape{channels});
  if (static_cast<int64_t>(operand.bias_shift.size()) == channels && fits) return;
  fail(operand, fmt::format("bias_shift has {} numbers, but the node has no such bias", operand.bias_shift.size()));
}

}  // namespace

void check_plan(const Plan& plan, const Graph& graph) {
  for (const OperandPlan& operand : plan.operands()) {
    const NodeId id = graph.find_node(operand.node);
    if (id == kNone) fail(operand, "the model has no such node");
    const Node& node = graph.node(id);
    const ValueId value =
        operand.operand.is_input() ? node.input(operand.operand.index) : node.output(operand.operand.index);
    if (operand.granted == QType::kFloat32) continue;
    if (value == kNone) fail(operand, "the node has no such operand");
    if (graph.value(value).name != operand.value) {
      fail(operand,
           fmt::format("it is tensor '{}' in the plan and '{}' in the model", operand.value, graph.value(value).name));
    }
    if (operand.granted == QType::kEc &&
        !(operand.operand.is_input() && takes_ec(node.op_type, operand.operand.index))) {
      fail(operand, "ec is for the inputs of products and of Resize and GridSample alone");
    }
    check_scales(operand, graph.constant(value));
    check_shift(graph, node, operand);
    if (operand.weight.rounding.size() > 1) fail(operand, "its rounding is not decided");
  }
}

}  // namespace twofold
