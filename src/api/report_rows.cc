#include "api/report_rows.h"

namespace twofold {

std::vector<OperandRow> operand_rows(const Plan& plan) {
  std::vector<OperandRow> rows;
  for (const OperandPlan& operand : plan.operands()) {
    rows.push_back({operand.node, operand.op_type, to_string(operand.operand), operand.value,
                    std::string(to_string(operand.asked)), std::string(to_string(operand.granted)),
                    std::string(to_string(operand.decided_by)), operand.reason, operand.method, operand.threshold});
  }
  return rows;
}

std::vector<TensorRow> tensor_rows(const std::vector<TensorComparison>& comparisons) {
  std::vector<TensorRow> rows;
  for (const TensorComparison& comparison : comparisons) {
    TensorRow row{comparison.tensor, comparison.node, comparison.op_type, {}};
    row.equal_share = comparison.agreement.equal_share();
    if (comparison.step) row.largest_steps = comparison.agreement.largest_difference() / *comparison.step;
    for (Metric metric : kAllMetrics) row.metrics[std::string(to_string(metric))] = comparison.metrics.mean(metric);
    rows.push_back(std::move(row));
  }
  return rows;
}

}  // namespace twofold
