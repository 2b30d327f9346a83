#include "cli/command_line.h"

#include <fmt/format.h>
#include <signal.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <atomic>
#include <cstdio>
#include <new>
#include <span>
#include <string>
#include <vector>

#include "base/cancellation.h"
#include "base/error.h"
#include "base/nearest_names.h"
#include "cli/debug_commands.h"

namespace {

constexpr int kInterrupted = 128 + SIGINT;

std::atomic<bool> interrupted = false;

// The second Ctrl-C ends the program at once. Where the shell has it ignored, in the background for example, it stays
// so.
void watch_interrupts() {
  struct sigaction action {};
  if (sigaction(SIGINT, nullptr, &action) != 0 || action.sa_handler == SIG_IGN) return;
  action.sa_handler = [](int) { interrupted = true; };
  action.sa_flags = static_cast<int>(SA_RESETHAND | SA_RESTART);
  sigaction(SIGINT, &action, nullptr);
}

int fail(std::string message) {
  for (char& c : message) {
    if (c == '\n') c = ' ';
  }
  std::fprintf(stderr, "error: %s\n", message.c_str());
  return 1;
}

// Throws where the first word names no command, or the second none of a command that has some: CLI11 would only say
// that one is missing.
void check_command(const CLI::App& app, std::span<char* const> words) {
  if (words.empty() || words[0][0] == '-' || app.get_subcommands(nullptr).empty()) return;
  const std::string word = words[0];
  std::vector<std::string> names;
  for (const CLI::App* command : app.get_subcommands(nullptr)) {
    if (command->check_name(word)) return check_command(*command, words.subspan(1));
    names.push_back(command->get_name());
  }
  twofold::throw_error(twofold::ErrorCode::kNotFound, "there is no command '{}'; the nearest are {}", word,
                       twofold::quoted_list(twofold::nearest_names(word, names, 3)));
}

}  // namespace

namespace twofold {

int run_command_line(CLI::App& app, int argc, char** argv) {
  watch_interrupts();
  const std::function<bool()> cancelled = [] { return interrupted.load(); };
  const CancellationScope scope(cancelled);
  app.require_subcommand(1);
  try {
    check_command(app, std::span<char* const>(argv, static_cast<size_t>(argc)).subspan(1));
    std::vector<std::string> words = plain_words({argv + 1, argv + argc});
    std::ranges::reverse(words);  // as CLI11 takes them
    app.parse(std::move(words));
    return 0;
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) return app.exit(error);  // --help
    return fail(fmt::format("{}; see {} --help", error.what(), app.get_name()));
  } catch (const std::bad_alloc&) {
    return fail("out of memory");
  } catch (const Error& error) {
    return error.code() == ErrorCode::kCancelled ? kInterrupted : fail(error.what());
  } catch (const std::exception& error) {
    return fail(error.what());
  }
}

}  // namespace twofold
