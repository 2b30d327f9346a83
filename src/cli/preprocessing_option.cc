#include <CLI/CLI.hpp>

#include "cli/commands.h"

namespace twofold {

void add_preprocessing_option(CLI::App& command, std::filesystem::path& path) {
  command
      .add_option("-c,--config", path,
                  "PTQ file: its input_parameters (mean, scale, std) are applied; nothing else of it is used")
      ->type_name("FILE");
}

}  // namespace twofold
