// The command line, in Python's process.
#include <nanobind/stl/vector.h>

#include "bindings.h"
#include "cli/programs.h"

namespace nb = nanobind;
using namespace nb::literals;

namespace twofold::python {

namespace {

int run(const std::vector<nb::bytes>& words) {
  std::vector<std::string> all = {"twofold"};
  for (const nb::bytes& word : words) all.emplace_back(word.c_str(), word.size());
  std::vector<char*> argv;
  for (std::string& word : all) argv.push_back(word.data());
  argv.push_back(nullptr);
  const nb::gil_scoped_release release;
  return run_twofold(static_cast<int>(all.size()), argv.data());
}

}  // namespace

void bind_command_line(nb::module_& module) {
  module.def(
      "run_command_line", run, "words"_a,
      "Runs the command that the words name, without the program's own, and returns the exit code. Ctrl-C is the "
      "command's from then on, also when it is done: for a process that ends with it.");
}

}  // namespace twofold::python
