#include "debug/only.h"

namespace twofold {

Plan only(const Plan& plan, const std::set<size_t>& operands) {
  Plan result = plan;
  for (size_t i = 0; i < plan.operands().size(); ++i) {
    if (operands.contains(i)) continue;
    OperandPlan& operand = result.operand(i);
    operand.granted = QType::kFloat32;
    operand.params.reset();
    operand.bias_shift.clear();
  }
  return result;
}

}  // namespace twofold
