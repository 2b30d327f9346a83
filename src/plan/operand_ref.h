// One operand of a node: an input or an output, and which.
#ifndef TWOFOLD_SRC_PLAN_OPERAND_REF_H_
#define TWOFOLD_SRC_PLAN_OPERAND_REF_H_

#include <compare>
#include <optional>
#include <string>
#include <string_view>

namespace twofold {

// A value. Text ("input0", "output12") becomes one where it comes in: config, plan, command line, Python. Inputs are
// less than outputs, and each are in the order of their indices.
struct OperandRef {
  bool is_output = false;
  int index = 0;

  static constexpr OperandRef input(int index) { return {false, index}; }
  static constexpr OperandRef output(int index) { return {true, index}; }
  bool is_input() const { return !is_output; }

  auto operator<=>(const OperandRef&) const = default;
};

// "input0", "output1".
std::string to_string(OperandRef operand);

// Reads "input0" or "output12"; absent for any other text.
std::optional<OperandRef> parse_operand(std::string_view text);

}  // namespace twofold

#endif  // TWOFOLD_SRC_PLAN_OPERAND_REF_H_
