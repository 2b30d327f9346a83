#include "cli/command_tree.h"

#include <CLI/CLI.hpp>

namespace twofold {

namespace {

// CLI11 keeps the words that IsMember takes in what it calls a type: "TEXT:{int8,uint8}".
std::vector<std::string> choices_of(const CLI::Option& option) {
  const std::string type = option.get_type_name();
  const size_t begin = type.find(":{");
  if (begin == std::string::npos || !type.ends_with('}')) return {};
  return CLI::detail::split(type.substr(begin + 2, type.size() - begin - 3), ',');
}

CommandOption option_of(const CLI::Option& option) {
  CommandOption result;
  for (const std::string& name : option.get_snames()) result.names.push_back("-" + name);
  for (const std::string& name : option.get_lnames()) result.names.push_back("--" + name);
  const std::string& description = option.get_description();
  result.description = description.substr(0, description.find_first_of(";:"));
  result.takes_value = option.get_items_expected_max() > 0;
  if (result.takes_value) result.choices = choices_of(option);
  return result;
}

void add_commands(const CLI::App& app, const std::string& words, std::vector<Command>& tree) {
  Command command{words, words.empty() ? "" : app.get_name(), app.get_description(), {}, {}};
  for (const CLI::Option* option : app.get_options()) {
    if (option->nonpositional()) command.options.push_back(option_of(*option));
  }
  const std::vector<const CLI::App*> following = app.get_subcommands([](const CLI::App*) { return true; });
  for (const CLI::App* each : following) command.commands.push_back(each->get_name());
  tree.push_back(std::move(command));
  for (const CLI::App* each : following) {
    add_commands(*each, words.empty() ? each->get_name() : words + " " + each->get_name(), tree);
  }
}

}  // namespace

std::vector<Command> command_tree(const CLI::App& app) {
  std::vector<Command> tree;
  add_commands(app, "", tree);
  return tree;
}

}  // namespace twofold
