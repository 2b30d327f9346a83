// Arguments and results that stay Python objects, by the names that type checkers know them by: those of
// python/twofold/_twofold.pyi, which is made of the signatures of the functions here.
#ifndef TWOFOLD_PYTHON_BINDINGS_PYTHON_TYPES_H_
#define TWOFOLD_PYTHON_BINDINGS_PYTHON_TYPES_H_

#include <nanobind/nanobind.h>
#include <nanobind/stl/string.h>

#include <cstdint>
#include <string>

namespace twofold::python {

namespace detail {

inline bool anything(PyObject*) { return true; }

}  // namespace detail

inline bool is_mapping(nanobind::handle object) {
  return PyDict_Check(object.ptr()) ||
         nanobind::isinstance(object, nanobind::module_::import_("collections.abc").attr("Mapping"));
}

// A NumPy array of any element type.
class Array : public nanobind::object {
  NB_OBJECT_DEFAULT(Array, nanobind::object, "numpy.typing.NDArray[typing.Any]", detail::anything)
};

// What to_tensor() takes.
class ArrayLike : public nanobind::object {
  NB_OBJECT_DEFAULT(ArrayLike, nanobind::object, "numpy.typing.ArrayLike", detail::anything)
};

// {name: what to_tensor() takes}; any mapping, which is_mapping() tells from what a caller gives instead.
class ArrayLikes : public nanobind::mapping {
  NB_OBJECT_DEFAULT(ArrayLikes, nanobind::mapping, "collections.abc.Mapping[str, numpy.typing.ArrayLike]",
                    detail::anything)
};

// What to_samples() takes.
class SamplesOrPath : public nanobind::object {
  NB_OBJECT_DEFAULT(SamplesOrPath, nanobind::object, "twofold._samples.SampleSource | str", detail::anything)
};

// A row of Session.inputs and outputs.
class TensorInfoRow : public nanobind::dict {
  NB_OBJECT_DEFAULT(TensorInfoRow, nanobind::dict, "twofold.reports.TensorInfo", PyDict_Check)
};

using TensorInfoRows = nanobind::typed<nanobind::list, TensorInfoRow>;
using Arrays = nanobind::typed<nanobind::dict, nanobind::str, Array>;
// A dict with keys that a comment or a docstring lists.
using Row = nanobind::typed<nanobind::dict, nanobind::str, nanobind::any>;
using Rows = nanobind::typed<nanobind::list, Row>;
// Asked whether the job should end. May be None, as that of jobs is, which .none() of the argument says.
using CancelledCallable = nanobind::typed<nanobind::handle, nanobind::typed<nanobind::callable, bool()>>;
// Told the stage, and how much of it is done of how much. May be None in the same way.
using ProgressCallable =
    nanobind::typed<nanobind::handle, nanobind::typed<nanobind::callable, void(std::string, int64_t, int64_t)>>;

}  // namespace twofold::python

#endif  // TWOFOLD_PYTHON_BINDINGS_PYTHON_TYPES_H_
