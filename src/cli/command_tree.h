// The commands of a program, as they are typed.
#ifndef TWOFOLD_SRC_CLI_COMMAND_TREE_H_
#define TWOFOLD_SRC_CLI_COMMAND_TREE_H_

#include <string>
#include <vector>

namespace CLI {
class App;
}  // namespace CLI

namespace twofold {

struct CommandOption {
  std::vector<std::string> names;  // "-o", "--output"
  std::string description;         // its first sentence
  bool takes_value = false;
  std::vector<std::string> choices;  // of its value; none: whatever it is, files among it
};

struct Command {
  std::string words;  // "", "quantize", "debug runall"
  std::string name, description;
  std::vector<CommandOption> options;
  std::vector<std::string> commands;  // names of those that may follow
};

// The program and all its commands, each before those that may follow it.
std::vector<Command> command_tree(const CLI::App& app);

}  // namespace twofold

#endif  // TWOFOLD_SRC_CLI_COMMAND_TREE_H_
