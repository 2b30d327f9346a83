// The class of statistics.h.
#include "twofold/statistics.h"

#include <nanobind/stl/filesystem.h>
#include <nanobind/stl/string.h>

#include "bindings.h"
#include "long_jobs.h"
#include "python_samples.h"
#include "python_types.h"

namespace nb = nanobind;
using namespace nb::literals;

namespace twofold::python {

namespace {

Statistics observe(const std::filesystem::path& model, const SamplesOrPath& data, const std::string& config_path,
                   const std::string& config_text, const std::string& data_is, int threads, CancelledCallable cancelled,
                   ProgressCallable progress, int bar_columns) {
  const Samples samples = to_samples(data);
  const Cancelled ask = AskPython(cancelled);
  const nb::gil_scoped_release release;
  const ShowProgress show(progress, bar_columns);
  return Statistics::observe(model, samples,
                             {.config = {config_path, config_text, parse_data_is(data_is)},
                              .threads = threads,
                              .progress = show.progress(),
                              .cancelled = ask});
}

nb::bytes to_bytes(const Statistics& statistics) {
  const std::vector<std::byte> bytes = statistics.to_bytes();
  return nb::bytes(bytes.data(), bytes.size());
}

Statistics from_bytes(const nb::bytes& bytes) {
  return Statistics::from_bytes({static_cast<const std::byte*>(bytes.data()), bytes.size()});
}

Rows tensors(const Statistics& statistics) {
  Rows rows = nb::list();
  for (const TensorStatisticsRow& row : statistics.tensors()) {
    Row entry = nb::dict();
    entry["tensor"] = row.tensor;
    entry["elements"] = row.elements;
    entry["min"] = row.min;
    entry["max"] = row.max;
    entry["channels"] = row.channels;
    entry["refused"] = row.refused;
    rows.append(entry);
  }
  return rows;
}

}  // namespace

void bind_statistics(nb::module_& module) {
  nb::class_<Statistics>(module, "Statistics")
      .def_static("observe", &observe, "model"_a, "data"_a, "config_path"_a, "config_text"_a, "data_is"_a, "threads"_a,
                  "cancelled"_a.none(), "progress"_a.none(), "bar_columns"_a)
      .def_static("load", &Statistics::load, "path"_a)
      .def_static("from_bytes", &from_bytes, "data"_a)
      .def("merge", &Statistics::merge, "other"_a)
      .def("save", &Statistics::save, "path"_a)
      .def("to_bytes", &to_bytes)
      .def("tensors", &tensors)
      .def_prop_ro("model_hash", &Statistics::model_hash)
      .def_prop_ro("num_samples", &Statistics::num_samples);
}

}  // namespace twofold::python
