// The functions of debug.h; reports cross over as JSON text.
#include "twofold/debug.h"

#include <nanobind/stl/filesystem.h>
#include <nanobind/stl/pair.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include "bindings.h"
#include "long_jobs.h"
#include "python_samples.h"

namespace nb = nanobind;
using namespace nb::literals;

namespace twofold::python {

namespace {

std::pair<std::string, std::string> sensitivity_to_json(
    const std::filesystem::path& model, nb::handle data, const std::string& config_path, const std::string& config_text,
    const std::string& target, const std::string& plan, const std::vector<std::string>& metrics,
    const std::vector<std::string>& outputs, const std::string& unit, const std::vector<std::string>& interested_nodes,
    int64_t data_num, uint64_t memory_bytes, const std::string& save_dir, bool resume, int threads,
    nb::handle cancelled, nb::handle progress, int bar_columns) {
  const Samples samples = to_samples(data);
  SensitivityJob job{.config = {config_path, config_text},
                     .target = target,
                     .plan = plan,
                     .metrics = metrics,
                     .outputs = outputs,
                     .unit = unit,
                     .interested_nodes = interested_nodes,
                     .data_num = data_num,
                     .memory_bytes = memory_bytes,
                     .save_dir = save_dir,
                     .resume = resume,
                     .threads = threads};
  job.cancelled = AskPython(cancelled);
  const nb::gil_scoped_release release;
  const ShowProgress show(progress, bar_columns);
  job.progress = show.progress();
  const SensitivityReport report = get_sensitivity(model, samples, job);
  return {to_json(report), to_log(report)};
}

}  // namespace

void bind_debug(nb::module_& module) {
  module.def("sensitivity_to_json", sensitivity_to_json, "model"_a, "data"_a, "config_path"_a, "config_text"_a,
             "target"_a, "plan"_a, "metrics"_a, "outputs"_a, "unit"_a, "interested_nodes"_a, "data_num"_a,
             "memory_bytes"_a, "save_dir"_a, "resume"_a, "threads"_a, "cancelled"_a.none(), "progress"_a.none(),
             "bar_columns"_a, "The report as JSON, and as the table of the log file.");
}

}  // namespace twofold::python
