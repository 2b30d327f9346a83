#include <CLI/CLI.hpp>

#include "base/files.h"
#include "cli/commands.h"

namespace twofold {

void add_json_option(CLI::App& command, std::filesystem::path& path) {
  command.add_option("--json", path, "Write everything, as JSON, to this file")->type_name("FILE");
}

void write_json(const std::filesystem::path& path, const std::string& json) {
  if (!path.empty()) write_file(path, json);
}

}  // namespace twofold
