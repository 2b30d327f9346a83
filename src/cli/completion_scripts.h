// Scripts with which shells complete the words of a program.
#ifndef TWOFOLD_SRC_CLI_COMPLETION_SCRIPTS_H_
#define TWOFOLD_SRC_CLI_COMPLETION_SCRIPTS_H_

#include <span>
#include <string>

#include "cli/command_tree.h"

namespace twofold {

// Where neither a command nor an option is due, they complete names of files.
std::string bash_completion(const std::string& program, std::span<const Command> tree);
std::string zsh_completion(const std::string& program, std::span<const Command> tree);
std::string fish_completion(const std::string& program, std::span<const Command> tree);

}  // namespace twofold

#endif  // TWOFOLD_SRC_CLI_COMPLETION_SCRIPTS_H_
