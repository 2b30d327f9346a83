#include "plan/plan.h"

#include <utility>

#include "base/error.h"

namespace twofold {

std::string_view to_string(DecidedBy decided_by) {
  switch (decided_by) {
    case DecidedBy::kDefault: return "default";
    case DecidedBy::kOp: return "op";
    case DecidedBy::kSubgraph: return "subgraph";
    case DecidedBy::kNode: return "node";
    case DecidedBy::kSearch: return "search";
  }
  return "default";
}

void Plan::add(OperandPlan operand) {
  if (!index_[operand.node].emplace(operand.operand, operands_.size()).second) {
    throw_error(ErrorCode::kInvalidArgument, "the plan holds {} of node '{}' twice", to_string(operand.operand),
                operand.node);
  }
  operands_.push_back(std::move(operand));
}

const OperandPlan* Plan::find(std::string_view node, OperandRef operand) const {
  const auto found = index_.find(node);
  if (found == index_.end()) return nullptr;
  const auto it = found->second.find(operand);
  return it == found->second.end() ? nullptr : &operands_[it->second];
}

OperandPlan* Plan::find(std::string_view node, OperandRef operand) {
  return const_cast<OperandPlan*>(std::as_const(*this).find(node, operand));
}

std::vector<const OperandPlan*> Plan::of_node(std::string_view node) const {
  std::vector<const OperandPlan*> result;
  const auto found = index_.find(node);
  if (found == index_.end()) return result;
  for (const auto& [operand, position] : found->second) result.push_back(&operands_[position]);
  return result;
}

std::vector<std::string> Plan::fallbacks() const {
  std::vector<std::string> result;
  for (const OperandPlan& operand : operands_) {
    if (operand.reason.empty()) continue;
    result.push_back(fmt::format("node '{}' ({}) {}: asked {}, granted {}: {}", operand.node, operand.op_type,
                                 to_string(operand.operand), to_string(operand.asked), to_string(operand.granted),
                                 operand.reason));
  }
  result.insert(result.end(), unmet.begin(), unmet.end());
  return result;
}

}  // namespace twofold
