#include "cli/command_line.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <atomic>
#include <initializer_list>
#include <new>
#include <span>
#include <sstream>
#include <string>
#include <vector>

#include "base/cancellation.h"
#include "base/error.h"
#include "base/job_outputs.h"
#include "base/nearest_names.h"
#include "cli/debug_commands.h"
#include "cli/output.h"

namespace {

using twofold::quoted_list;

constexpr int kFailed = 1, kMisused = 2;
constexpr int kKilled = 128;  // and the number of the signal

std::atomic<int> ending_signal = 0;

// The first of these signals ends the command in good order, the second one the program at once. Where whoever started
// it has one ignored, SIGINT in the background for example, it stays so. A pipe that nobody reads is an error as any
// other; a handler, other than ignoring it, is not handed on to programs that are started.
void watch_signals() {
  const auto watch = [](std::initializer_list<int> signals, void (*handler)(int), int flags) {
    for (const int signal : signals) {
      struct sigaction action {};
      if (sigaction(signal, nullptr, &action) != 0 || action.sa_handler == SIG_IGN) continue;
      action.sa_handler = handler;
      action.sa_flags = flags;
      sigaction(signal, &action, nullptr);
    }
  };
  watch(
      {SIGINT, SIGTERM, SIGHUP}, [](int signal) { ending_signal = signal; },
      static_cast<int>(SA_RESETHAND | SA_RESTART));
  watch(
      {SIGPIPE}, [](int) {}, SA_RESTART);
}

// Where stdin, stdout or stderr is closed, the next file that is opened would be taken for it. What is there now can be
// neither read nor written.
void hold_standard_descriptors() {
  for (const int descriptor : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    if (::fcntl(descriptor, F_GETFD) < 0) ::open("/dev/null", descriptor == STDIN_FILENO ? O_WRONLY : O_RDONLY);
  }
}

// The command that was parsed last, or the program.
const CLI::App& parsed_command(const CLI::App& app) {
  const std::vector<CLI::App*> commands = app.get_subcommands();
  return commands.empty() ? app : parsed_command(*commands.front());
}

std::string words_of(const CLI::App& command) {
  const CLI::App* parent = command.get_parent();
  return parent == nullptr ? command.get_name() : words_of(*parent) + " " + command.get_name();
}

std::vector<std::string> command_names(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::App* command : app.get_subcommands(nullptr)) names.push_back(command->get_name());
  return names;
}

// The word that names no command where one is due, with what there is; empty where all is well.
std::string unknown_command(const CLI::App& app, std::span<const std::string> words) {
  if (words.empty() || words[0].starts_with('-') || app.get_subcommands(nullptr).empty()) return "";
  for (const CLI::App* command : app.get_subcommands(nullptr)) {
    if (command->check_name(words[0])) return unknown_command(*command, words.subspan(1));
  }
  const std::vector<std::string> names = command_names(app);
  return fmt::format("there is no command '{}'; the nearest are {}", words[0],
                     quoted_list(twofold::nearest_names(words[0], names, 3)));
}

// What CLI11 says of words that it knows nothing to do with, and where nothing follows.
std::string leftover_words(const CLI::App& app, const CLI::App& command) {
  const std::vector<std::string> words = app.remaining(true);
  const auto is_option = [](const std::string& word) { return word.size() > 1 && word[0] == '-'; };
  const auto option = std::ranges::find_if(words, is_option);
  if (option == words.end()) return fmt::format("'{}' is one word too many", words.empty() ? "" : words.back());
  std::vector<std::string> known;
  for (const CLI::Option* each : command.get_options()) {
    for (const std::string& name : each->get_lnames()) known.push_back("--" + name);
    for (const std::string& name : each->get_snames()) known.push_back("-" + name);
  }
  const std::string name = option->substr(0, option->find('='));
  return fmt::format("there is no option '{}'; the nearest are {}", name,
                     quoted_list(twofold::nearest_names(name, known, 2)));
}

std::string message_of(const CLI::ParseError& error, const CLI::App& app, const CLI::App& command) {
  if (dynamic_cast<const CLI::ExtrasError*>(&error) != nullptr) return leftover_words(app, command);
  const bool lacks_command = command.get_subcommands().empty() && !command.get_subcommands(nullptr).empty();
  if (lacks_command) return fmt::format("a command is missing: {}", fmt::join(command_names(command), ", "));
  return error.what();
}

// What holds for the options of every command, before it runs.
void check_options(const CLI::App& command, twofold::JobOutputs& outputs) {
  for (const CLI::Option* option : command.get_options()) {
    for (const std::string& value : option->results()) {
      if (value.empty()) throw CLI::ValidationError(option->get_name(), "its value is empty");
      if (value == "-" || value == "/dev/stdout") twofold::print_to_stderr();
    }
  }
  // The one file that commands write themselves.
  const CLI::Option* json = command.get_option_no_throw("--json");
  if (json != nullptr && json->count() > 0) outputs.add_file(json->results().front());
}

int run(CLI::App& app, std::vector<std::string> words) {
  using namespace twofold;
  const std::function<bool()> cancelled = [] { return ending_signal.load() != 0; };
  const CancellationScope scope(cancelled);
  JobOutputs outputs;
  app.require_subcommand(1);
  app.parse_complete_callback([&] { check_options(parsed_command(app), outputs); });
  const auto misused = [&app](const std::string& message, const CLI::App& command) {
    print_error(fmt::format("{}; see {} --help", message, words_of(command)));
    return kMisused;
  };
  if (const std::string message = unknown_command(app, words); !message.empty()) return misused(message, app);
  words = plain_words(std::move(words));
  std::ranges::reverse(words);  // as CLI11 takes them
  try {
    app.parse(std::move(words));
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() != 0) {
      const CLI::App& command = parsed_command(app);
      return misused(message_of(error, app, command), command);
    }
    std::ostringstream text;  // of --help, --version
    app.exit(error, text);
    write_text(text.str());
  }
  finish_text();
  return 0;
}

}  // namespace

namespace twofold {

int run_command_line(CLI::App& app, int argc, char** argv) {
  hold_standard_descriptors();
  watch_signals();
  try {
    return run(app, {argv + 1, argv + argc});
  } catch (const OutputClosed&) {
    return kKilled + SIGPIPE;
  } catch (const std::bad_alloc&) {
    print_error("out of memory");
  } catch (const Error& error) {
    if (error.code() == ErrorCode::kCancelled) return kKilled + ending_signal;
    print_error(error.what());
  } catch (const std::exception& error) {
    print_error(error.what());
  }
  return kFailed;
}

}  // namespace twofold
