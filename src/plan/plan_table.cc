#include "plan/plan_table.h"

#include <fmt/format.h>

#include <algorithm>

namespace twofold {

namespace {

// Cells are padded to their column's width, but not the last one.
std::string format_row(const PlanRow& row, const std::array<size_t, 6>& widths) {
  std::string line;
  for (size_t i = 0; i + 1 < row.size(); ++i) line += fmt::format("{:<{}}  ", row[i], widths[i]);
  line += row.back();
  line.erase(line.find_last_not_of(' ') + 1);
  return line + "\n";
}

}  // namespace

std::vector<PlanRow> plan_rows(const Plan& plan) {
  std::vector<PlanRow> rows;
  for (const OperandPlan& operand : plan.operands()) {
    const bool differs = operand.asked != operand.granted;
    rows.push_back({operand.node, operand.op_type, to_string(operand.operand), std::string(to_string(operand.granted)),
                    std::string(to_string(operand.decided_by)),
                    differs ? fmt::format("asked {}: {}", to_string(operand.asked), operand.reason) : operand.reason});
  }
  return rows;
}

std::string plan_table(const Plan& plan) {
  std::vector<PlanRow> rows = plan_rows(plan);
  PlanRow header;
  std::copy(kPlanColumns.begin(), kPlanColumns.end(), header.begin());
  rows.insert(rows.begin(), header);
  std::array<size_t, 6> widths{};
  for (const PlanRow& row : rows) {
    for (size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
  }
  std::string table;
  for (const PlanRow& row : rows) table += format_row(row, widths);
  for (const std::string& unmet : plan.unmet) table += "not met: " + unmet + "\n";
  for (const std::string& note : plan.notes) table += "note: " + note + "\n";
  return table;
}

}  // namespace twofold
