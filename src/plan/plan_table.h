// A plan as the table that people read.
#ifndef TWOFOLD_SRC_PLAN_PLAN_TABLE_H_
#define TWOFOLD_SRC_PLAN_PLAN_TABLE_H_

#include <array>
#include <string>
#include <vector>

#include "plan/plan.h"

namespace twofold {

// Node, op, operand, granted qtype, decided by, reason.
using PlanRow = std::array<std::string, 6>;
inline constexpr std::array<const char*, 6> kPlanColumns = {"node", "op", "operand", "qtype", "decided by", "reason"};

// A row per operand, in graph order.
std::vector<PlanRow> plan_rows(const Plan& plan);

// The table with aligned columns, one line per row under a header line; then the notes and unmet requests.
std::string plan_table(const Plan& plan);

}  // namespace twofold

#endif  // TWOFOLD_SRC_PLAN_PLAN_TABLE_H_
