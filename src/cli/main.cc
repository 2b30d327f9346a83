// twofold: the command line. Commands print tables on stdout; an error is one line on stderr and exit code 1. Ctrl-C
// ends a command within the time of one node, with exit code 130 and no file half written.
#include <signal.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <new>
#include <span>
#include <string>
#include <vector>

#include "base/cancellation.h"
#include "base/error.h"
#include "base/nearest_names.h"
#include "cli/commands.h"

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

// Starts the program again with OpenMP threads that soon sleep while they wait, unless the environment says how they
// wait. GNU's OpenMP runtime, which reads the environment before main() is called, lets them spin for milliseconds.
// Where other programs want the cores too, a thread that spins keeps out the one it waits for; where none do, waking
// one up takes as long as a small operator (docs/architecture.md has figures).
void spin_shortly(char** argv) {
  if (std::getenv("OMP_WAIT_POLICY") != nullptr || std::getenv("GOMP_SPINCOUNT") != nullptr) return;
  setenv("GOMP_SPINCOUNT", "1000", 1);
  execv("/proc/self/exe", argv);  // returns where that cannot be; all is well then, only slower
}

}  // namespace

int main(int argc, char** argv) {
  spin_shortly(argv);
  watch_interrupts();
  const std::function<bool()> cancelled = [] { return interrupted.load(); };
  const twofold::CancellationScope scope(cancelled);
  CLI::App app("Twofold: float ONNX networks to integer ones in which every operand has the precision it needs.",
               "twofold");
  app.require_subcommand(1);
  app.footer("Every command explains itself: twofold quantize --help");
  twofold::add_quantize(app);
  twofold::add_inspect(app);
  twofold::add_run(app);
  twofold::add_bench(app);
  twofold::add_verify(app);
  twofold::add_split(app);
  twofold::add_targets(app);
  twofold::add_debug(app);
  try {
    check_command(app, std::span<char* const>(argv, static_cast<size_t>(argc)).subspan(1));
    app.parse(argc, argv);
    return 0;
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) return app.exit(error);  // --help
    return fail(std::string(error.what()) + "; see twofold --help");
  } catch (const std::bad_alloc&) {
    return fail("out of memory");
  } catch (const twofold::Error& error) {
    return error.code() == twofold::ErrorCode::kCancelled ? kInterrupted : fail(error.what());
  } catch (const std::exception& error) {
    return fail(error.what());
  }
}
