#include "quantize/decide.h"

#include <algorithm>

#include "base/cancellation.h"
#include "base/check.h"
#include "base/error.h"
#include "traits/gemm_type.h"

namespace twofold {

namespace {

// Fills in the parts of `choice` that its method uses, once per combination of the operand's lists.
void append_choices(const ActivationConfig& config, RangeMethod method, bool asymmetric,
                    std::vector<RangeChoice>& choices) {
  RangeChoice choice{{.method = method}, asymmetric};
  if (method == RangeMethod::kPercentile) {
    for (double percentile : config.max_percentile) {
      choice.options.percentile = percentile;
      choices.push_back(choice);
    }
  } else if (method == RangeMethod::kKl) {
    for (int bins : config.num_bin) {
      for (int max_bins : config.max_num_bin) {
        choice.options.num_bin = bins;
        choice.options.max_num_bin = max_bins;
        choices.push_back(choice);
      }
    }
  } else {
    choices.push_back(choice);
  }
}

// Weights, and constant inputs of other operators (an Add of a constant, say).
bool is_constant(const Graph& graph, const OperandPlan& operand) {
  return graph.constant(graph.find_value(operand.value)) != nullptr;
}

// Integers up to 63, and 64 where a sum of weights is preserved: two products with an unsigned byte then stay within 16
// bits, 2 * 255 * 64 < 2^15.
constexpr float kReducedRange = 127.0F / 63.0F;

bool gets_integers(const OperandPlan& operand) { return is_integer(operand.granted); }

}  // namespace

std::vector<RangeChoice> range_choices(const OperandPlan& operand) {
  ActivationConfig config = operand.activation;
  if (config.methods.empty()) {
    config.methods = {RangeMethod::kMax, RangeMethod::kPercentile, RangeMethod::kKl, RangeMethod::kMse};
    // Not said, which is what the whole range is beside `max`.
    if (config.max_percentile == std::vector{1.0}) config.max_percentile = {0.9999, 0.99999};
  }
  if (config.asymmetric.empty()) config.asymmetric = {false};
  std::vector<RangeChoice> choices;
  for (bool asymmetric : config.asymmetric) {
    for (RangeMethod method : config.methods) append_choices(config, method, asymmetric, choices);
  }
  return choices;
}

// Weights get one scale per output channel, other constants one.
void decide_constant(const Graph& graph, OperandPlan& operand) {
  const Node& node = graph.node(graph.find_node(operand.node));
  const Tensor& constant = *graph.constant(graph.find_value(operand.value));
  const int axis = operand.is_weight ? output_channel_axis(node, operand.operand.index, constant.rank()) : -1;
  try {
    operand.params = weight_qparams(constant, axis, operand.granted);
  } catch (const Error& error) {
    throw_error(error.code(), "node '{}' ({}) {} '{}': {}", operand.node, operand.op_type, to_string(operand.operand),
                operand.value, error.what());
  }
  operand.method = "max";
  const float scale = *std::max_element(operand.params->scale.begin(), operand.params->scale.end());
  operand.threshold = symmetric_threshold(scale, operand.granted);
  if (operand.granted == QType::kInt8 && operand.weight.reduce_range.value_or(false)) {
    for (float& step : operand.params->scale) step *= kReducedRange;
  }
}

void decide_constants(const Graph& graph, Plan& plan) {
  for (const OperandPlan& operand : plan.operands()) {
    if (!gets_integers(operand) || !is_constant(graph, operand)) continue;
    throw_if_cancelled();
    decide_constant(graph, *plan.find(operand.node, operand.operand));
  }
}

bool is_quantized_activation(const Graph& graph, const OperandPlan& operand) {
  return gets_integers(operand) && !is_constant(graph, operand);
}

void decide_activation(const Graph& graph, Ranges& ranges, size_t position, const RangeChoice& choice, Plan& plan) {
  OperandPlan& operand = plan.operand(position);
  const NodeId node = graph.find_node(operand.node);
  if (ranges.seen(node, operand.operand) == nullptr) {
    throw_error(ErrorCode::kInvalidArgument, "node '{}' ({}) {}: there are no statistics of tensor '{}'", operand.node,
                operand.op_type, to_string(operand.operand), operand.value);
  }
  const FoundRange& found = ranges.find(node, operand.operand, choice, operand.granted);
  operand.method = to_string(choice);
  operand.params = found.params;
  operand.threshold = found.threshold;
}

void decide_activations(const Graph& graph, Ranges& ranges, const ChoiceMap& choices, Plan& plan) {
  for (size_t i = 0; i < plan.operands().size(); ++i) {
    if (!is_quantized_activation(graph, plan.operands()[i])) continue;
    throw_if_cancelled();
    const auto chosen = choices.find(i);
    const size_t choice = chosen == choices.end() ? 0 : chosen->second;
    decide_activation(graph, ranges, i, range_choices(plan.operands()[i])[choice], plan);
  }
}

void take_mse_ranges(Plan& plan) {
  for (size_t i = 0; i < plan.operands().size(); ++i) {
    std::vector<RangeMethod>& methods = plan.operand(i).activation.methods;
    if (methods.empty()) methods = {RangeMethod::kMse};
  }
}

OperandQuantization decided_operand(const Graph& graph, const OperandPlan& operand) {
  TWOFOLD_CHECK(operand.params.has_value() || operand.granted == QType::kFloat16);
  return {graph.find_node(operand.node), operand.operand, operand.params.value_or(QParams{QType::kFloat16, -1, {}, {}}),
          operand.weight.rounding.empty() ? Rounding::kNearest : operand.weight.rounding.front(), operand.bias_shift};
}

std::vector<OperandQuantization> decided_operands(const Graph& graph, const Plan& plan) {
  std::vector<OperandQuantization> result;
  for (const OperandPlan& operand : plan.operands()) {
    if (operand.granted != QType::kFloat32) result.push_back(decided_operand(graph, operand));
  }
  return result;
}

}  // namespace twofold
