#include "plan/operand_ref.h"

#include <fmt/format.h>

#include <charconv>

namespace twofold {

std::string to_string(OperandRef operand) {
  return fmt::format("{}{}", operand.is_output ? "output" : "input", operand.index);
}

std::optional<OperandRef> parse_operand(std::string_view text) {
  const bool is_input = text.starts_with("input");
  if (!is_input && !text.starts_with("output")) return std::nullopt;
  const std::string_view digits = text.substr(is_input ? 5 : 6);
  int index = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), index);
  const bool plain = !digits.empty() && digits[0] != '-' && (digits[0] != '0' || digits.size() == 1);
  if (!plain || error != std::errc() || end != digits.data() + digits.size()) return std::nullopt;
  return OperandRef{!is_input, index};
}

}  // namespace twofold
