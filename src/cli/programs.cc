#include "cli/programs.h"

#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cstdlib>

#include "cli/command_line.h"
#include "cli/commands.h"
#include "cli/debug_commands.h"

namespace twofold {

namespace {

std::string version_line() { return "twofold " TWOFOLD_VERSION; }

}  // namespace

int run_twofold(int argc, char** argv) {
  CLI::App app("Twofold: float ONNX networks to integer ones in which every operand has the precision it needs.",
               "twofold");
  app.set_version_flag("--version", version_line());
  app.footer("Every command explains itself: twofold quantize --help");
  add_quantize(app);
  add_inspect(app);
  add_run(app);
  add_bench(app);
  add_verify(app);
  add_split(app);
  add_targets(app);
  add_debug(app);
  add_init(app);
  add_completion(app);
  return run_command_line(app, argc, argv);
}

int run_debugger(int argc, char** argv) {
  CLI::App app("Twofold's debugger: what loses the accuracy of a quantized model.", "twofold-debugger");
  app.set_version_flag("--version", version_line());
  add_debug_commands(app);
  add_completion(app);
  return run_command_line(app, argc, argv);
}

void spin_shortly(char** argv) {
  if (std::getenv("OMP_WAIT_POLICY") != nullptr || std::getenv("GOMP_SPINCOUNT") != nullptr) return;
  setenv("GOMP_SPINCOUNT", "1000", 1);
  execv("/proc/self/exe", argv);  // returns where that cannot be; all is well then, only slower
}

}  // namespace twofold
