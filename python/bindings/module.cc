#include "bindings.h"
#include "twofold/error.h"

namespace nb = nanobind;

NB_MODULE(_twofold, module) {
  module.def(
      "version", [] { return TWOFOLD_VERSION; }, "Of the build.");
  const nb::exception<twofold::Error> error(module, "Error");
  // A subclass, for the one error that a program asks for itself. The translator registered last is asked first.
  const nb::object cancelled = nb::steal(PyErr_NewException("twofold._twofold.Cancelled", error.ptr(), nullptr));
  module.attr("Cancelled") = cancelled;
  nb::register_exception_translator(
      [](const std::exception_ptr& thrown, void* type) {
        try {
          std::rethrow_exception(thrown);
        } catch (const twofold::Error& e) {
          if (e.code() != twofold::ErrorCode::kCancelled) throw;
          PyErr_SetString(static_cast<PyObject*>(type), e.what());
        }
      },
      cancelled.ptr());
  twofold::python::bind_command_line(module);
  twofold::python::bind_files(module);
  twofold::python::bind_plan(module);
  twofold::python::bind_statistics(module);
  twofold::python::bind_tensor_statistics(module);
  twofold::python::bind_quantize(module);
  twofold::python::bind_session(module);
  twofold::python::bind_debug(module);
  twofold::python::bind_fake_quantize(module);
}
