#include "twofold/plan.h"

#include "plan/plan_json.h"

namespace twofold {

namespace {

PlanOperandRow row_of(const OperandPlan& operand) {
  PlanOperandRow row{operand.node,
                     operand.op_type,
                     to_string(operand.operand),
                     operand.value,
                     std::string(to_string(operand.asked)),
                     std::string(to_string(operand.granted)),
                     std::string(to_string(operand.decided_by)),
                     operand.reason,
                     operand.is_weight,
                     operand.method,
                     operand.threshold};
  if (operand.params) {
    row.axis = operand.params->axis;
    row.scale = operand.params->scale;
    row.zero_point = operand.params->zero_point;
  }
  if (operand.weight.rounding.size() == 1) row.rounding = to_string(operand.weight.rounding.front());
  row.bias_shift = operand.bias_shift;
  return row;
}

}  // namespace

PlanReport describe_plan(const std::filesystem::path& path) {
  const Plan plan = load_plan(path);
  PlanReport report{plan.model_hash,
                    plan.content_hash,
                    plan.target,
                    plan.compiler_version,
                    std::string(to_string(plan.policy)),
                    plan.uint8_activations ? "uint8" : "int8",
                    {},
                    {},
                    plan.notes,
                    plan.unmet};
  for (const Equalization& item : plan.equalizations) {
    report.equalizations.push_back({item.tensor, item.nodes, item.exponents, item.inserted});
  }
  for (const OperandPlan& operand : plan.operands()) report.operands.push_back(row_of(operand));
  return report;
}

std::string normalized_plan(std::string_view text, std::string_view label) {
  return plan_to_json(plan_from_json(text, label));
}

}  // namespace twofold
