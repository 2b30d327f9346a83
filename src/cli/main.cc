// twofold: the command line. Commands print tables on stdout; an error is one line on stderr and exit code 1.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <new>
#include <string>

#include "cli/commands.h"
#include "twofold/error.h"

namespace {

int fail(std::string message) {
  for (char& c : message) {
    if (c == '\n') c = ' ';
  }
  std::fprintf(stderr, "error: %s\n", message.c_str());
  return 1;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Twofold: float ONNX networks to integer ones in which every operand has the precision it needs.",
               "twofold");
  app.require_subcommand(1);
  app.footer("Every command explains itself: twofold quantize --help");
  twofold::add_quantize(app);
  twofold::add_inspect(app);
  twofold::add_run(app);
  twofold::add_verify(app);
  twofold::add_split(app);
  twofold::add_targets(app);
  try {
    app.parse(argc, argv);
    return 0;
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) return app.exit(error);  // --help
    return fail(std::string(error.what()) + "; see twofold --help");
  } catch (const std::bad_alloc&) {
    return fail("out of memory");
  } catch (const std::exception& error) {
    return fail(error.what());
  }
}
