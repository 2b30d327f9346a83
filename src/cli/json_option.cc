#include <CLI/CLI.hpp>

#include "base/files.h"
#include "cli/commands.h"

namespace twofold {

void add_json_option(CLI::App& command, std::filesystem::path& path) {
  // Checked before the command runs: it may run for long and write other files first.
  const auto writable = [](const std::string& file) {
    check_writable(file);
    return std::string();
  };
  command.add_option("--json", path, "Write everything, as JSON, to this file")->type_name("FILE")->check(writable, "");
}

void write_json(const std::filesystem::path& path, const std::string& json) {
  if (!path.empty()) write_file(path, json);
}

}  // namespace twofold
