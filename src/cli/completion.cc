#include <CLI/CLI.hpp>

#include "cli/commands.h"
#include "cli/completion_scripts.h"
#include "cli/output.h"

namespace twofold {

void add_completion(CLI::App& app) {
  CLI::App* command =
      app.add_subcommand("completion", "Print a script with which a shell completes commands and options");
  auto shell = std::make_shared<std::string>();
  command->add_option("SHELL", *shell, "bash, zsh or fish")->required()->check(CLI::IsMember({"bash", "zsh", "fish"}));
  command->footer("Example:\n  eval \"$(" + app.get_name() + " completion bash)\"");
  command->callback([&app, shell] {
    const std::vector<Command> tree = command_tree(app);
    write_text(*shell == "bash"  ? bash_completion(app.get_name(), tree)
               : *shell == "zsh" ? zsh_completion(app.get_name(), tree)
                                 : fish_completion(app.get_name(), tree));
  });
}

}  // namespace twofold
