#include <CLI/CLI.hpp>

#include "cli/commands.h"
#include "cli/option_values.h"

namespace twofold {

void add_samples_option(CLI::App& command, Samples& data) {
  command.add_option("--samples", data.limit, "Use only the first N samples; default: all")
      ->type_name("N")
      ->check(at_least(1));
}

}  // namespace twofold
