// NumPy arrays as tensors and back, without copies.
#ifndef TWOFOLD_PYTHON_BINDINGS_ARRAYS_H_
#define TWOFOLD_PYTHON_BINDINGS_ARRAYS_H_

#include <nanobind/nanobind.h>

#include "python_types.h"
#include "twofold/tensor.h"

namespace twofold::python {

// The memory of an array, of another package's tensor (twofold._arrays) or of nested lists, as a tensor that keeps it
// alive. Arrays that are not C-contiguous and aligned are copied. Throws Error(kInvalidArgument) that says `name` for
// what has no numbers, and for types Twofold does not know.
Tensor to_tensor(nanobind::handle value, const std::string& name);

// A NumPy array over the tensor's bytes, which it keeps alive; over a copy where they are shared. bfloat16 needs the
// package ml_dtypes. REQUIRES: plain layout.
Array to_array(Tensor tensor);

// The same for bytes that stay somebody else's too: an array that cannot be written to, and never a copy.
Array to_read_only_array(Tensor tensor);

}  // namespace twofold::python

#endif  // TWOFOLD_PYTHON_BINDINGS_ARRAYS_H_
