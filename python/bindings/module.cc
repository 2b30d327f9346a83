#include "bindings.h"
#include "twofold/error.h"

namespace nb = nanobind;

NB_MODULE(_twofold, module) {
  nb::exception<twofold::Error>(module, "Error");
  twofold::python::bind_quantize(module);
  twofold::python::bind_session(module);
}
