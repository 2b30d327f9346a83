#include <CLI/CLI.hpp>

#include "cli/commands.h"

namespace twofold {

void add_data_is_option(CLI::App& command, ConfigSource& config) {
  command
      .add_option_function<std::string>(
          "--data-is", [&config](const std::string& word) { config.data_is = parse_data_is(word); },
          "What the samples are where the config has mean and scale: normalized, as the float model takes them, or raw "
          "(default: as the config's march has it)")
      ->check(CLI::IsMember({"normalized", "raw"}))
      ->type_name("normalized|raw");
}

void add_preprocessing_option(CLI::App& command, ConfigSource& config) {
  command
      .add_option(
          "-c,--config", config.path,
          "PTQ file: its input_parameters (mean, scale, std) are applied where its march has raw data, and a float "
          "model ends at its output_nodes where two are compared; nothing else of it is used")
      ->type_name("FILE");
  add_data_is_option(command, config);
}

}  // namespace twofold
