#include "cli/completion_scripts.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <vector>

namespace twofold {

namespace {

// In single quotes, as all three shells take it; what is in the text of one is left out.
std::string quoted(std::string text) {
  std::erase(text, '\'');
  return "'" + text + "'";
}

// A name that shells take for a function: "_twofold_debugger".
std::string function_name(std::string program) {
  std::ranges::replace(program, '-', '_');
  return "_" + program;
}

std::string joined(const std::vector<std::string>& words) { return fmt::format("{}", fmt::join(words, " ")); }

std::vector<std::string> option_names(const Command& command) {
  std::vector<std::string> names;
  for (const CommandOption& option : command.options) {
    names.insert(names.end(), option.names.begin(), option.names.end());
  }
  return names;
}

// Lines of a case over "<command> <word>" that say what the command is after the word; bash and zsh have them alike.
std::string following_cases(std::span<const Command> tree) {
  std::string text;
  for (const Command& command : tree) {
    for (const std::string& next : command.commands) {
      text += fmt::format("      {}) command={} ;;\n", quoted(command.words + " " + next),
                          quoted(command.words.empty() ? next : command.words + " " + next));
    }
  }
  return text;
}

// Lines of a case over "<command> <option>": `action` says what completes the option's value.
template <typename Action>
std::string value_cases(std::span<const Command> tree, const Action& action) {
  std::string text;
  for (const Command& command : tree) {
    for (const CommandOption& option : command.options) {
      if (!option.takes_value) continue;
      std::vector<std::string> patterns;
      for (const std::string& name : option.names) patterns.push_back(quoted(command.words + " " + name));
      text += fmt::format("    {}) {} ;;\n", fmt::join(patterns, "|"), action(option));
    }
  }
  return text;
}

const Command& following(std::span<const Command> tree, const Command& command, const std::string& next) {
  const std::string words = command.words.empty() ? next : command.words + " " + next;
  return *std::ranges::find(tree, words, &Command::words);
}

}  // namespace

std::string bash_completion(const std::string& program, std::span<const Command> tree) {
  const std::string function = function_name(program);
  std::string text = fmt::format(
      "# eval \"$({0} completion bash)\" in ~/.bashrc\n"
      "{1}() {{\n"
      "  local current=\"${{COMP_WORDS[COMP_CWORD]}}\" command= words= i\n"
      "  for ((i = 1; i < COMP_CWORD; ++i)); do\n"
      "    case \"$command ${{COMP_WORDS[i]}}\" in\n"
      "{2}"
      "    esac\n"
      "  done\n"
      "  case $command in\n",
      program, function, following_cases(tree));
  for (const Command& command : tree) {
    // Options where one is begun, and in place of the next command too.
    text += fmt::format("    {}) words={}; [[ $current == -* ]] && words={} ;;\n", quoted(command.words),
                        quoted(joined(command.commands)), quoted(joined(option_names(command))));
  }
  text += fmt::format(
      "  esac\n"
      "  case \"$command ${{COMP_WORDS[COMP_CWORD-1]}}\" in\n"
      "{}"
      "  esac\n"
      "  COMPREPLY=($(compgen -W \"$words\" -- \"$current\"))\n"
      "}}\n"
      "complete -o default -F {} {}\n",
      value_cases(tree, [](const CommandOption& option) { return "words=" + quoted(joined(option.choices)); }),
      function, program);
  return text;
}

std::string zsh_completion(const std::string& program, std::span<const Command> tree) {
  const std::string function = function_name(program);
  std::string text = fmt::format(
      "#compdef {0}\n"
      "# eval \"$({0} completion zsh)\" in ~/.zshrc, after compinit\n"
      "{1}() {{\n"
      "  local command= i\n"
      "  local -a choices\n"
      "  for ((i = 2; i < CURRENT; ++i)); do\n"
      "    case \"$command ${{words[i]}}\" in\n"
      "{2}"
      "    esac\n"
      "  done\n"
      "  case \"$command ${{words[CURRENT-1]}}\" in\n",
      program, function, following_cases(tree));
  text += value_cases(tree, [](const CommandOption& option) {
    return (option.choices.empty() ? "_files" : "compadd -- " + joined(option.choices)) + "; return";
  });
  text += "  esac\n  case $command in\n";
  for (const Command& command : tree) {
    std::vector<std::string> words, options;
    for (const std::string& next : command.commands) {
      words.push_back(quoted(next + ":" + following(tree, command, next).description));
    }
    for (const CommandOption& option : command.options) {
      for (const std::string& name : option.names) options.push_back(quoted(name + ":" + option.description));
    }
    text += fmt::format("    {}) choices=({}); [[ $PREFIX == -* ]] && choices=({}) ;;\n", quoted(command.words),
                        joined(words), joined(options));
  }
  text += fmt::format(
      "  esac\n"
      "  if ((#choices)); then _describe word choices; else _files; fi\n"
      "}}\n"
      "compdef {} {}\n",
      function, program);
  return text;
}

std::string fish_completion(const std::string& program, std::span<const Command> tree) {
  std::string text = fmt::format("# {0} completion fish | source, in ~/.config/fish/config.fish\n", program);
  for (const Command& command : tree) {
    // Commands have names of their own, so that the last word of one says which it is.
    const std::string follows =
        command.commands.empty() ? "" : fmt::format("not __fish_seen_subcommand_from {}", joined(command.commands));
    const std::string seen = command.words.empty() ? "" : "__fish_seen_subcommand_from " + command.name;
    const std::string condition =
        quoted(seen.empty() || follows.empty() ? seen + follows : fmt::format("{}; and {}", seen, follows));
    for (const std::string& next : command.commands) {
      text += fmt::format("complete -c {} -n {} -f -a {} -d {}\n", program, condition, next,
                          quoted(following(tree, command, next).description));
    }
    for (const CommandOption& option : command.options) {
      std::string line = fmt::format("complete -c {} -n {}", program, condition);
      for (const std::string& name : option.names) {
        line += name.starts_with("--") ? " -l " + name.substr(2) : " -s " + name.substr(1);
      }
      if (option.takes_value) line += option.choices.empty() ? " -r -F" : " -x -a " + quoted(joined(option.choices));
      text += line + " -d " + quoted(option.description) + "\n";
    }
  }
  return text;
}

}  // namespace twofold
