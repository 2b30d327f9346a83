#include <fmt/format.h>

#include <CLI/CLI.hpp>

#include "cli/commands.h"

namespace twofold {

CLI::Option* add_ec_option(CLI::App& command, bool& in_two_passes, const std::string& of_which) {
  return command.add_flag(
      "--ec-in-two-passes", in_two_passes,
      "Run ec operands" + of_which + ", if there are any, as two int8 passes: the same results, slower");
}

std::string runs_as(const std::string& kind, int ec_passes) {
  return ec_passes == 1 ? kind : fmt::format("{}, ec in {} passes", kind, ec_passes);
}

}  // namespace twofold
