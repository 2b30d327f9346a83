#include "ops/float_steps.h"

namespace twofold {

namespace {

constexpr int64_t kBinary = 1000;  // in step_ops: binary operators are numbered from here on

}  // namespace

void write_steps(Attributes& attributes, const FloatSteps& steps) {
  std::vector<int64_t> ops, operands, reversed;
  std::vector<float> numbers;
  for (const FloatStep& step : steps) {
    if (const auto* unary = std::get_if<UnaryStep>(&step)) {
      ops.push_back(static_cast<int64_t>(unary->op));
      operands.push_back(-1);
      reversed.push_back(0);
      numbers.insert(numbers.end(), {unary->params.alpha, unary->params.beta, unary->params.gamma});
    } else {
      const auto& binary = std::get<BinaryStep>(step);
      ops.push_back(kBinary + static_cast<int64_t>(binary.op));
      operands.push_back(binary.operand);
      reversed.push_back(binary.reversed ? 1 : 0);
      numbers.insert(numbers.end(), {binary.value, 0.0F, 0.0F});
    }
  }
  attributes.set("step_ops", std::move(ops));
  attributes.set("step_operands", std::move(operands));
  attributes.set("step_reversed", std::move(reversed));
  attributes.set("step_numbers", std::move(numbers));
}

FloatSteps read_steps(const Attributes& attributes) {
  const auto ops = attributes.get_ints("step_ops", {}), operands = attributes.get_ints("step_operands", {}),
             reversed = attributes.get_ints("step_reversed", {});
  const auto numbers = attributes.get_floats("step_numbers", {});
  FloatSteps steps;
  for (size_t i = 0; i < ops.size(); ++i) {
    if (ops[i] < kBinary) {
      steps.push_back(
          UnaryStep{static_cast<UnaryOp>(ops[i]), {numbers[3 * i], numbers[3 * i + 1], numbers[3 * i + 2]}});
    } else {
      steps.push_back(BinaryStep{static_cast<BinaryOp>(ops[i] - kBinary), reversed[i] != 0,
                                 static_cast<int>(operands[i]), numbers[3 * i]});
    }
  }
  return steps;
}

int operand_of(const FloatStep& step) {
  const auto* binary = std::get_if<BinaryStep>(&step);
  return binary != nullptr ? binary->operand : -1;
}

}  // namespace twofold
