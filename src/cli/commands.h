// The commands of the command line, one per file. Each adds itself, with its options and an example, to the
// application.
#ifndef TWOFOLD_SRC_CLI_COMMANDS_H_
#define TWOFOLD_SRC_CLI_COMMANDS_H_

#include <filesystem>
#include <string>

#include "twofold/config_source.h"
#include "twofold/samples.h"

namespace CLI {
class App;
class Option;
}  // namespace CLI

namespace twofold {

void add_quantize(CLI::App& app);
void add_inspect(CLI::App& app);
void add_run(CLI::App& app);
void add_bench(CLI::App& app);
void add_verify(CLI::App& app);
void add_split(CLI::App& app);
void add_targets(CLI::App& app);
void add_debug(CLI::App& app);
void add_init(CLI::App& app);
// For the commands that the application has then.
void add_completion(CLI::App& app);

// Adds --json FILE, for commands that have a report.
void add_json_option(CLI::App& command, std::filesystem::path& path);
// Adds --samples N.
void add_samples_option(CLI::App& command, Samples& data);
// Adds --data-is to a command that takes a config and data.
void add_data_is_option(CLI::App& command, ConfigSource& config);
// Adds -c,--config FILE and --data-is to a command that does to its data what quantize does, and uses next to nothing
// else of the file.
void add_preprocessing_option(CLI::App& command, ConfigSource& config);
// Adds --ec-in-two-passes; `of_which` says of which model, where the command has several.
CLI::Option* add_ec_option(CLI::App& command, bool& in_two_passes, const std::string& of_which = "");
// How a node of a lowered model runs, for a table: "integer", or "integer, ec in 2 passes".
std::string runs_as(const std::string& kind, int ec_passes);
// Writes the report of a command where it was asked for: whole or not at all.
void write_json(const std::filesystem::path& path, const std::string& json);

}  // namespace twofold

#endif  // TWOFOLD_SRC_CLI_COMMANDS_H_
