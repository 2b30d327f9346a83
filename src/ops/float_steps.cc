#include "ops/float_steps.h"

#include <limits>
#include <span>

#include "base/error.h"

namespace twofold {

namespace {

constexpr const char* kOps = "step_ops";
constexpr const char* kOperands = "step_operands";
constexpr const char* kReversed = "step_reversed";
constexpr const char* kNumbers = "step_numbers";
constexpr size_t kNumbersOfStep = 3;
constexpr int64_t kBinary = 1000;  // in kOps: binary operators are numbered from here on

void check_count(const char* attribute, size_t count, size_t expected) {
  if (count == expected) return;
  throw_error(ErrorCode::kInvalidModel, "attribute '{}' has {} entries, but must have {}", attribute, count, expected);
}

// `op` as kOps has it.
FloatStep read_step(int64_t op, int64_t operand, bool reversed, std::span<const float> numbers) {
  constexpr auto kLastUnary = static_cast<int64_t>(UnaryOp::kPow), kLastBinary = static_cast<int64_t>(BinaryOp::kMod);
  if (op >= 0 && op <= kLastUnary) return UnaryStep{static_cast<UnaryOp>(op), {numbers[0], numbers[1], numbers[2]}};
  if (op < kBinary || op > kBinary + kLastBinary) {
    throw_error(ErrorCode::kInvalidModel, "attribute '{}' has the value {}, which is no operator", kOps, op);
  }
  if (operand < -1 || operand > std::numeric_limits<int>::max()) {
    throw_error(ErrorCode::kInvalidModel, "attribute '{}' has the value {}, which is no operand", kOperands, operand);
  }
  return BinaryStep{static_cast<BinaryOp>(op - kBinary), reversed, static_cast<int>(operand), numbers[0]};
}

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
  attributes.set(kOps, std::move(ops));
  attributes.set(kOperands, std::move(operands));
  attributes.set(kReversed, std::move(reversed));
  attributes.set(kNumbers, std::move(numbers));
}

FloatSteps read_steps(const Attributes& attributes) {
  const auto ops = attributes.get_ints(kOps, {}), operands = attributes.get_ints(kOperands, {}),
             reversed = attributes.get_ints(kReversed, {});
  const auto numbers = attributes.get_floats(kNumbers, {});
  check_count(kOperands, operands.size(), ops.size());
  check_count(kReversed, reversed.size(), ops.size());
  check_count(kNumbers, numbers.size(), kNumbersOfStep * ops.size());
  FloatSteps steps;
  for (size_t i = 0; i < ops.size(); ++i) {
    steps.push_back(read_step(ops[i], operands[i], reversed[i] != 0,
                              std::span(numbers).subspan(kNumbersOfStep * i, kNumbersOfStep)));
  }
  return steps;
}

void erase_steps(Attributes& attributes) {
  for (const char* name : {kOps, kOperands, kReversed, kNumbers}) attributes.erase(name);
}

int operand_of(const FloatStep& step) {
  const auto* binary = std::get_if<BinaryStep>(&step);
  return binary != nullptr ? binary->operand : -1;
}

}  // namespace twofold
