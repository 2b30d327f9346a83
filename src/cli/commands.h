// The commands of the command line, one per file. Each adds itself, with its options and an example, to the
// application.
#ifndef TWOFOLD_SRC_CLI_COMMANDS_H_
#define TWOFOLD_SRC_CLI_COMMANDS_H_

#include <filesystem>
#include <string>

namespace CLI {
class App;
}

namespace twofold {

void add_quantize(CLI::App& app);
void add_inspect(CLI::App& app);
void add_run(CLI::App& app);
void add_verify(CLI::App& app);
void add_split(CLI::App& app);
void add_targets(CLI::App& app);

// Adds --json FILE, which every command has.
void add_json_option(CLI::App& command, std::filesystem::path& path);
// Adds -c,--config FILE to a command that does to its data what quantize does, and uses nothing else of the file.
void add_preprocessing_option(CLI::App& command, std::filesystem::path& path);
// Writes the report of a command where it was asked for: whole or not at all.
void write_json(const std::filesystem::path& path, const std::string& json);

}  // namespace twofold

#endif  // TWOFOLD_SRC_CLI_COMMANDS_H_
