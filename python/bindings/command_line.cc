// The programs of the command line, in Python's process.
#include <nanobind/stl/vector.h>

#include "bindings.h"
#include "cli/programs.h"

namespace nb = nanobind;
using namespace nb::literals;

namespace twofold::python {

namespace {

int run(int (*program)(int, char**), const char* name, const std::vector<nb::bytes>& words) {
  std::vector<std::string> all = {name};
  for (const nb::bytes& word : words) all.emplace_back(word.c_str(), word.size());
  std::vector<char*> argv;
  for (std::string& word : all) argv.push_back(word.data());
  argv.push_back(nullptr);
  const nb::gil_scoped_release release;
  return program(static_cast<int>(all.size()), argv.data());
}

}  // namespace

void bind_command_line(nb::module_& module) {
  module.def(
      "run_twofold", [](const std::vector<nb::bytes>& words) { return run(run_twofold, "twofold", words); }, "words"_a,
      "Runs the command that the words name, without the program's own, and returns the exit code. Ctrl-C is the "
      "command's from then on, also when it is done: for a process that ends with it.");
  module.def(
      "run_debugger", [](const std::vector<nb::bytes>& words) { return run(run_debugger, "twofold-debugger", words); },
      "words"_a, "As run_twofold, for the commands of `twofold debug`.");
}

}  // namespace twofold::python
