#include <CLI/CLI.hpp>

#include "cli/commands.h"

namespace twofold {

void add_data_is_option(CLI::App& command, ConfigSource& config) {
  command
      .add_option_function<std::string>(
          "--data-is", [&config](const std::string& word) { config.data_is = parse_data_is(word); },
          "What the samples are: normalized, as the model takes them, or raw (default: by march)")
      ->check(CLI::IsMember({"normalized", "raw"}))
      ->type_name("normalized|raw");
}

void add_preprocessing_option(CLI::App& command, ConfigSource& config) {
  command
      .add_option("-c,--config", config.path,
                  "PTQ file whose mean and scale are applied to raw data; nothing else of it is used")
      ->type_name("FILE");
  add_data_is_option(command, config);
}

}  // namespace twofold
