// The functions of plan.h.
#include "twofold/plan.h"

#include <nanobind/stl/filesystem.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/string_view.h>

#include "base/files.h"
#include "bindings.h"

namespace nb = nanobind;
using namespace nb::literals;

namespace twofold::python {

void bind_plan(nb::module_& module) {
  module.def("normalized_plan", &normalized_plan, "text"_a, "label"_a,
             "The text of a plan file, checked, as Twofold writes it.");
  module.def(
      "save_plan", [](const std::string& text, const std::filesystem::path& path) { write_file(path, text); }, "text"_a,
      "path"_a);
}

}  // namespace twofold::python
