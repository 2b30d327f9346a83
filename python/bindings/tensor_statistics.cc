// The class of tensor_statistics.h.
#include "twofold/tensor_statistics.h"

#include <nanobind/stl/string.h>

#include "arrays.h"
#include "base/error.h"
#include "bindings.h"
#include "python_types.h"

namespace nb = nanobind;
using namespace nb::literals;

namespace twofold::python {

namespace {

void observe(TensorStatistics& statistics, const ArrayLike& array) {
  const Tensor tensor = to_tensor(array, "tensor");
  const nb::gil_scoped_release release;
  statistics.observe(tensor);
}

float threshold(const TensorStatistics& statistics, const std::string& method, const std::string& precision,
                double percentile, int num_bin) {
  const std::optional<QType> qtype = parse_qtype(precision);
  if (!qtype) throw_error(ErrorCode::kInvalidArgument, "there is no precision '{}'", precision);
  const nb::gil_scoped_release release;
  return statistics.threshold(method, *qtype, percentile, num_bin);
}

nb::bytes to_bytes(const TensorStatistics& statistics) {
  const std::vector<std::byte> bytes = statistics.to_bytes();
  return nb::bytes(bytes.data(), bytes.size());
}

TensorStatistics from_bytes(const nb::bytes& bytes) {
  return TensorStatistics::from_bytes({static_cast<const std::byte*>(bytes.data()), bytes.size()});
}

}  // namespace

void bind_tensor_statistics(nb::module_& module) {
  nb::class_<TensorStatistics>(module, "TensorStatistics")
      .def(nb::init<>())
      .def_static("from_bytes", &from_bytes, "data"_a)
      .def("observe", &observe, "tensor"_a)
      .def("merge", &TensorStatistics::merge, "other"_a)
      .def("to_bytes", &to_bytes)
      .def("threshold", &threshold, "method"_a, "precision"_a, "percentile"_a = 1.0, "num_bin"_a = 1024)
      .def_prop_ro("count", &TensorStatistics::count)
      .def_prop_ro("min", &TensorStatistics::min)
      .def_prop_ro("max", &TensorStatistics::max)
      .def("__getstate__", &to_bytes)
      .def("__setstate__",
           [](TensorStatistics& self, const nb::bytes& state) { new (&self) TensorStatistics(from_bytes(state)); });
}

}  // namespace twofold::python
