#include "quantize/decide.h"

#include <algorithm>
#include <cmath>

#include "base/check.h"
#include "base/error.h"
#include "graph/gemm_type.h"

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

bool gets_integers(const OperandPlan& operand) { return is_integer(operand.granted); }

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
}

void decide_activation(const RangeStatistics& statistics, const RangeChoice& choice, OperandPlan& operand) {
  operand.method = to_string(choice);
  if (choice.asymmetric && operand.granted != QType::kEc) {
    const Range range = search_range(statistics, choice.options, operand.granted);
    operand.params = asymmetric_qparams(std::min(range.min, 0.0F), std::max(range.max, 0.0F), operand.granted);
    operand.threshold = std::max(std::fabs(range.min), std::fabs(range.max));
    return;
  }
  operand.threshold = search_threshold(statistics, choice.options, operand.granted);
  operand.params = QParams{operand.granted, -1, {symmetric_scale(operand.threshold, operand.granted)}, {}};
}

}  // namespace

std::string to_string(const RangeChoice& choice) {
  std::string text(to_string(choice.options.method));
  if (choice.options.method == RangeMethod::kPercentile) text += fmt::format(" {}", choice.options.percentile);
  return choice.asymmetric ? text + ", asymmetric" : text;
}

std::vector<RangeChoice> range_choices(const OperandPlan& operand) {
  ActivationConfig config = operand.activation;
  if (config.methods.empty()) {
    config.methods = {RangeMethod::kMax, RangeMethod::kPercentile, RangeMethod::kKl, RangeMethod::kMse};
    config.max_percentile = {0.9999, 0.99999};
  }
  if (config.asymmetric.empty()) config.asymmetric = {false};
  std::vector<RangeChoice> choices;
  for (bool asymmetric : config.asymmetric) {
    for (RangeMethod method : config.methods) append_choices(config, method, asymmetric, choices);
  }
  return choices;
}

std::vector<ValueRequest> observation_requests(const Graph& graph, const Plan& plan, const ScaleGroups& groups) {
  std::map<ValueId, ValueRequest> requests;
  for (const OperandPlan& operand : plan.operands()) {
    if (!gets_integers(operand) || is_constant(graph, operand)) continue;
    ObserveLevel level = ObserveLevel::kMinMax;
    for (const RangeChoice& choice : range_choices(operand)) {
      level = std::max(level, observe_level(choice.options.method));
    }
    for (ValueId value : groups.observed(graph.find_value(operand.value))) {
      ValueRequest& request = requests.try_emplace(value, ValueRequest{value, level, false}).first->second;
      request.level = std::max(request.level, level);
    }
  }
  // Statistics of one group are merged, so they must be of one level.
  for (auto& [value, request] : requests) {
    for (ValueId other : groups.observed(value)) {
      if (const auto it = requests.find(other); it != requests.end())
        request.level = std::max(request.level, it->second.level);
    }
  }
  std::vector<ValueRequest> result;
  for (const auto& [value, request] : requests) result.push_back(request);
  return result;
}

GroupStatistics group_statistics(const ScaleGroups& groups, CalibrationResult calibration) {
  GroupStatistics merged;
  for (auto& [value, statistics] : calibration.statistics) {
    const auto [group, first] = merged.try_emplace(groups.representative(value), std::move(statistics));
    if (!first) group->second.merge(statistics);
  }
  return merged;
}

void decide_constants(const Graph& graph, Plan& plan) {
  for (const OperandPlan& operand : plan.operands()) {
    if (!gets_integers(operand) || !is_constant(graph, operand)) continue;
    decide_constant(graph, *plan.find(operand.node, operand.operand));
  }
}

void decide_activations(const Graph& graph, const ScaleGroups& groups, const GroupStatistics& statistics,
                        const ChoiceMap& choices, Plan& plan) {
  for (size_t i = 0; i < plan.operands().size(); ++i) {
    const OperandPlan& planned = plan.operands()[i];
    if (!gets_integers(planned) || is_constant(graph, planned)) continue;
    OperandPlan& operand = *plan.find(planned.node, planned.operand);
    const auto chosen = choices.find(i);
    const RangeChoice choice = range_choices(operand)[chosen == choices.end() ? 0 : chosen->second];
    decide_activation(statistics.at(groups.representative(graph.find_value(operand.value))), choice, operand);
  }
}

std::vector<OperandQuantization> decided_operands(const Graph& graph, const Plan& plan) {
  std::vector<OperandQuantization> result;
  for (const OperandPlan& operand : plan.operands()) {
    if (operand.granted == QType::kFloat32) continue;
    TWOFOLD_CHECK(operand.params.has_value() || operand.granted == QType::kFloat16);
    result.push_back({graph.find_node(operand.node), operand.operand,
                      operand.params.value_or(QParams{QType::kFloat16, -1, {}, {}}),
                      operand.weight.rounding.empty() ? Rounding::kNearest : operand.weight.rounding.front()});
  }
  return result;
}

}  // namespace twofold
