// One bind_* function per header of include/twofold, one for files, and one for the command line.
#ifndef TWOFOLD_PYTHON_BINDINGS_BINDINGS_H_
#define TWOFOLD_PYTHON_BINDINGS_BINDINGS_H_

#include <nanobind/nanobind.h>

namespace twofold::python {

void bind_command_line(nanobind::module_& module);
void bind_debug(nanobind::module_& module);
void bind_fake_quantize(nanobind::module_& module);
void bind_files(nanobind::module_& module);
void bind_plan(nanobind::module_& module);
void bind_quantize(nanobind::module_& module);
void bind_session(nanobind::module_& module);
void bind_statistics(nanobind::module_& module);
void bind_tensor_statistics(nanobind::module_& module);

}  // namespace twofold::python

#endif  // TWOFOLD_PYTHON_BINDINGS_BINDINGS_H_
