#include "debug/replan.h"

#include <algorithm>

#include "quantize/calibrate_plan.h"
#include "quantize/decide.h"
#include "quantize/fit_biases.h"

namespace twofold {

namespace {

void add_lines(const LevelConfig& lines, LevelConfig& level) {
  if (lines.qtype) {
    level.qtype = lines.qtype;
    level.operands.clear();  // they would win over the qtype
  }
  for (const auto& [operand, qtype] : lines.operands) level.operands[operand] = qtype;
  if (lines.activation != ActivationConfig{}) level.activation = lines.activation;
  if (lines.weight != WeightConfig{}) level.weight = lines.weight;
}

bool sets_range(const std::map<std::string, LevelConfig>& levels, const std::string& key) {
  const auto it = levels.find(key);
  return it != levels.end() && (it->second.activation != ActivationConfig{} || it->second.weight != WeightConfig{});
}

// Of the choices that the operand has, the one that `method` names.
RangeChoice choice_of(const OperandPlan& operand, const std::string& method) {
  const std::vector<RangeChoice> choices = range_choices(operand);
  const auto it = std::ranges::find(choices, method, [](const RangeChoice& choice) { return to_string(choice); });
  return it == choices.end() ? choices.front() : *it;
}

}  // namespace

QuantConfig with_lines(QuantConfig config, const QuantConfig& lines) {
  for (const auto& [op, level] : lines.ops) add_lines(level, config.ops[op]);
  for (const auto& [node, level] : lines.nodes) add_lines(level, config.nodes[node]);
  return config;
}

bool Replanner::asks_for_range(const QuantConfig& lines, const OperandPlan& operand) const {
  return sets_range(lines.nodes, operand.node) || sets_range(lines.ops, operand.op_type);
}

Plan Replanner::plan(const QuantConfig& lines) {
  const QuantConfig config = with_lines(config_, lines);
  Plan plan = calibrated_plan(model_, {config, target_, options_});
  decide(lines, plan);
  return plan;
}

void Replanner::decide(const QuantConfig& lines, Plan& plan) {
  const Graph& graph = model_.graph();
  Ranges ranges(graph, plan, model_.statistics());
  std::vector<std::pair<size_t, const OperandPlan*>> kept;
  for (size_t i = 0; i < plan.operands().size(); ++i) {
    OperandPlan& operand = plan.operand(i);
    if (!is_integer(operand.granted)) continue;
    const OperandPlan* tested = tested_.find(operand.node, operand.operand);
    const bool same = tested != nullptr && tested->granted == operand.granted;
    if (same && !asks_for_range(lines, operand)) {
      kept.emplace_back(i, tested);
    } else if (is_quantized_activation(graph, operand)) {
      decide_activation(graph, ranges, i, choice_of(operand, same ? "" : tested ? tested->method : ""), plan);
    } else {
      decide_constant(graph, operand);
    }
  }
  fit_biases(graph, ranges, plan);
  // After fit_biases, which has been at these already.
  for (const auto& [position, tested] : kept) {
    OperandPlan& operand = plan.operand(position);
    operand.params = tested->params;
    operand.threshold = tested->threshold;
    operand.method = tested->method;
    operand.bias_shift = tested->bias_shift;
    operand.weight.rounding = tested->weight.rounding;
  }
}

}  // namespace twofold
