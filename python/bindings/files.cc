// Files that Python code writes, under the rules of those that C++ writes.
#include "base/files.h"

#include <nanobind/stl/filesystem.h>
#include <nanobind/stl/vector.h>

#include "base/job_outputs.h"
#include "bindings.h"

namespace nb = nanobind;
using namespace nb::literals;

namespace twofold::python {

void bind_files(nb::module_& module) {
  module.def(
      "write_file",
      [](const std::filesystem::path& path, const nb::bytes& content) {
        const nb::gil_scoped_release release;
        write_file(path, {content.c_str(), content.size()});
      },
      "path"_a, "content"_a, "Writes a file, whole or not at all; pipes and devices as they are.");
  module.def(
      "check_outputs",
      [](const std::vector<std::filesystem::path>& paths) {
        JobOutputs outputs;
        for (const std::filesystem::path& path : paths) outputs.add_file(path);
      },
      "paths"_a, "Raises Error where one cannot be written, or two are one file.");
}

}  // namespace twofold::python
