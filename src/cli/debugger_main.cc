// twofold-debugger: the commands of `twofold debug`, for scripts that know the debugger as a program of its own.
#include <CLI/CLI.hpp>

#include "cli/command_line.h"
#include "cli/debug_commands.h"

int main(int argc, char** argv) {
  CLI::App app("Twofold's debugger: what loses the accuracy of a quantized model.", "twofold-debugger");
  twofold::add_debug_commands(app);
  return twofold::run_command_line(app, argc, argv);
}
