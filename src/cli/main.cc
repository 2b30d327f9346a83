// twofold: the command line.
#include <CLI/CLI.hpp>

#include "cli/command_line.h"
#include "cli/commands.h"

int main(int argc, char** argv) {
  CLI::App app("Twofold: float ONNX networks to integer ones in which every operand has the precision it needs.",
               "twofold");
  app.footer("Every command explains itself: twofold quantize --help");
  twofold::add_quantize(app);
  twofold::add_inspect(app);
  twofold::add_run(app);
  twofold::add_bench(app);
  twofold::add_verify(app);
  twofold::add_split(app);
  twofold::add_targets(app);
  twofold::add_debug(app);
  return twofold::run_command_line(app, argc, argv);
}
