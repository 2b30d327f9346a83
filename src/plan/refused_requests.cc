#include "plan/refused_requests.h"

#include <algorithm>

#include "base/error.h"
#include "plan/operands.h"
#include "plan/request.h"
#include "traits/gemm_type.h"

namespace twofold {

namespace {

bool holds(std::span<const OperandPlan> list, OperandRef operand) {
  return std::any_of(list.begin(), list.end(), [&](const OperandPlan& plan) { return plan.operand == operand; });
}

std::string count(size_t n, std::string_view what) { return fmt::format("{} {}{}", n, what, n == 1 ? "" : "s"); }

}  // namespace

std::vector<OperandPlan> RefusedRequests::find(const Node& node, std::span<const Level> levels,
                                               std::span<const OperandPlan> inputs,
                                               std::span<const OperandPlan> outputs) {
  std::vector<OperandPlan> refused;
  const auto refuse = [&](OperandRef operand, ValueId value, QType asked, const Level& level, std::string reason) {
    if (asked == QType::kFloat32 || holds(inputs, operand) || holds(outputs, operand) || holds(refused, operand))
      return;
    OperandPlan plan;
    plan.node = node.name;
    plan.op_type = node.op_type;
    plan.operand = operand;
    plan.value = graph_.value(value).name;
    plan.asked = asked;
    plan.decided_by = level.decided_by;
    plan.reason = std::move(reason);
    refused.push_back(std::move(plan));
  };
  for (const Level& level : levels) {
    for (const auto& [operand, qtype] : level.config->operands) {
      const ValueId value = operand.is_output ? node.output(operand.index) : node.input(operand.index);
      if (value == kNone) {
        note_missing(node, level, operand);
        continue;
      }
      found_.insert(level.key + "." + to_string(operand));
      const bool bias = operand == OperandRef::input(2) && is_gemm_type(node.op_type);
      std::string reason = fmt::format("it is not an operand of {} that can be quantized", node.op_type);
      if (bias) reason = "a bias is quantized with the scales of the other two inputs";
      if (!is_float(value)) reason = "it does not hold float32 numbers, as far as the model tells";
      refuse(operand, value, qtype, level, std::move(reason));
    }
    const bool whole_node = level.config->qtype && level.names_one_node();
    if (whole_node && inputs.empty() && node.input(0) != kNone) {
      refuse(OperandRef::input(0), node.input(0), qtype_of_input(*level.config->qtype, graph_, node, 0), level,
             fmt::format("this {} has no operand that can be quantized", node.op_type));
    }
  }
  return refused;
}

void RefusedRequests::note_missing(const Node& node, const Level& level, OperandRef operand) {
  if (!level.names_one_node()) {
    missing_.insert(level.key + "." + to_string(operand));  // other nodes of the level may have it
    return;
  }
  throw_error(ErrorCode::kInvalidArgument, "{}.{}: node '{}' ({}) has no {}; it has {} and {}, counted from 0",
              level.key, to_string(operand), node.name, node.op_type, to_string(operand),
              count(node.inputs.size(), "input"), count(node.outputs.size(), "output"));
}

void RefusedRequests::check_missing() const {
  for (const std::string& operand : missing_) {
    if (found_.contains(operand)) continue;
    throw_error(ErrorCode::kInvalidArgument, "{}: no node that it applies to has this operand", operand);
  }
}

}  // namespace twofold
