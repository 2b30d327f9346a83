// Samples that Python code reads (python/twofold/_samples.py).
#ifndef TWOFOLD_PYTHON_BINDINGS_PYTHON_SAMPLES_H_
#define TWOFOLD_PYTHON_BINDINGS_PYTHON_SAMPLES_H_

#include <nanobind/nanobind.h>

#include "twofold/samples.h"

namespace twofold::python {

// A path, or an object with size() and sample(i) -> {name: array}, which must live as long as the result. What its
// functions raise passes through the engine as it is.
Samples to_samples(nanobind::handle data);

}  // namespace twofold::python

#endif  // TWOFOLD_PYTHON_BINDINGS_PYTHON_SAMPLES_H_
