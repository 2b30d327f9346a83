#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "cli/commands.h"
#include "twofold/quantize.h"

namespace twofold {

void add_targets(CLI::App& app) {
  CLI::App* command = app.add_subcommand("targets", "List the targets that are built in");
  auto json = std::make_shared<std::filesystem::path>();
  add_json_option(*command, *json);
  command->footer("Example:\n  twofold targets");
  command->callback([json] {
    const std::vector<std::string> names = target_names();
    write_json(*json, nlohmann::ordered_json{{"targets", names}}.dump(1) + "\n");
    for (const std::string& name : names) fmt::print("{}\n", name);
  });
}

}  // namespace twofold
