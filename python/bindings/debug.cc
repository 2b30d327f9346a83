// The functions of debug.h; reports cross over as JSON text.
#include "twofold/debug.h"

#include <nanobind/stl/filesystem.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/pair.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include "bindings.h"
#include "long_jobs.h"
#include "python_samples.h"
#include "python_types.h"

namespace nb = nanobind;
using namespace nb::literals;

namespace twofold::python {

namespace {

using Names = std::vector<std::string>;
using Lists = std::vector<Names>;
using Texts = std::pair<std::string, std::string>;  // the report as JSON, and as a table

// Calls run(subject), without the GIL, on what the dict of python/twofold/debug.py says.
template <typename Run>
auto with_subject(const Row& given, const Run& run) {
  const auto text = [&given](const char* key) { return nb::cast<std::string>(given[key]); };
  DebugSubject subject;
  subject.model = text("model");
  subject.float_model = text("float_model");
  subject.data = to_samples(given["samples"]);
  subject.config = {text("config_path"), text("config_text"), parse_data_is(text("data_is"))};
  subject.target = text("target");
  subject.plan = text("plan");
  if (!given["memory"].is_none()) subject.memory_bytes = nb::cast<uint64_t>(given["memory"]);
  subject.threads = nb::cast<int>(given["threads"]);
  subject.cancelled = AskPython(given["cancelled"]);
  const nb::handle progress = given["progress"];
  const int columns = nb::cast<int>(given["bar_columns"]);
  const nb::gil_scoped_release release;
  const ShowProgress show(progress, columns);
  subject.progress = show.progress();
  return run(subject);
}

Texts sensitivity(const Row& subject, const Names& metrics, const Names& outputs, const std::string& unit,
                  const Names& interested_nodes, const std::string& group, const Lists& group_lists, int64_t data_num,
                  const std::string& save_dir, bool resume, bool estimate, int64_t confirm) {
  const SensitivityJob job{metrics,  outputs,  unit,   interested_nodes, group,  group_lists,
                           data_num, save_dir, resume, estimate,         confirm};
  return with_subject(subject, [&](const DebugSubject& given) -> Texts {
    const SensitivityReport report = get_sensitivity(given, job);
    return {to_json(report), to_log(report)};
  });
}

Texts findings(const Row& subject, const Names& metrics, const Names& outputs, int64_t data_num,
               const std::string& save_dir, bool resume, bool estimate, int64_t confirm,
               const std::string& write_config, const std::string& evaluate) {
  const FindingsJob job{metrics, outputs, data_num, save_dir, resume, estimate, confirm, write_config, evaluate};
  return with_subject(subject, [&](const DebugSubject& given) -> Texts {
    const FindingsReport report = find_remedies(given, job);
    return {to_json(report), to_text(report)};
  });
}

ErrorCurveJob curve_job(const Lists& quantize, const Lists& non_quantize, bool weights, bool activations,
                        const std::string& metric, bool average_mode) {
  return {quantize, non_quantize, weights, activations, metric, average_mode};
}

std::string error_curves(const Row& subject, const Lists& quantize, const Lists& non_quantize, bool weights,
                         bool activations, const std::string& metric, bool average_mode, int64_t data_num,
                         const std::string& save_dir) {
  ErrorCurveJob job = curve_job(quantize, non_quantize, weights, activations, metric, average_mode);
  job.data_num = data_num;
  job.save_dir = save_dir;
  return with_subject(subject, [&](const DebugSubject& given) { return to_json(plot_acc_error(given, job)); });
}

DistributionJob distribution_job(const Names& nodes, std::optional<int> axis, int64_t data_num,
                                 const std::string& save_dir) {
  return {nodes, axis, data_num, save_dir};
}

std::string distribution(const Row& subject, const Names& nodes, int64_t data_num, const std::string& save_dir) {
  const DistributionJob job = distribution_job(nodes, {}, data_num, save_dir);
  return with_subject(subject, [&](const DebugSubject& given) { return to_json(plot_distribution(given, job)); });
}

std::string channels(const Row& subject, const Names& nodes, std::optional<int> axis, int64_t data_num,
                     const std::string& save_dir) {
  const DistributionJob job = distribution_job(nodes, axis, data_num, save_dir);
  return with_subject(
      subject, [&](const DebugSubject& given) { return to_json(get_channelwise_data_distribution(given, job)); });
}

Texts analysis_of_tensors(const Row& subject, const Names& nodes, int64_t data_num, const std::string& save_dir) {
  const DistributionJob job = distribution_job(nodes, {}, data_num, save_dir);
  return with_subject(subject, [&](const DebugSubject& given) -> Texts {
    const DistributionReport report = tensor_analysis(given, job);
    return {to_json(report), to_text(report)};
  });
}

Texts analysis_of_sensitivity(const Row& subject, const std::string& metric, double pick_threshold,
                              const Names& sensitive_nodes, const std::string& qtype, int64_t data_num,
                              const std::string& save_dir, bool resume) {
  const SensitivityAnalysisJob job{metric, pick_threshold, sensitive_nodes, qtype, data_num, save_dir, resume};
  return with_subject(subject, [&](const DebugSubject& given) -> Texts {
    const SensitivityAnalysisReport report = sensitivity_analysis(given, job);
    return {to_json(report), to_log(report)};
  });
}

Texts all(const Row& subject, const std::string& save_dir, const Names& metrics, const Names& outputs,
          const Names& units, int64_t data_num, const Names& interested_nodes, const Names& distribution_nodes,
          const Names& channel_nodes, std::optional<int> axis, const Row& curves, double pick_threshold,
          const Names& sensitive_nodes, bool resume, bool estimate, int64_t confirm, const std::string& write_config,
          const std::string& evaluate) {
  DebugAllJob job;
  job.save_dir = save_dir;
  job.metrics = metrics;
  job.outputs = outputs;
  job.units = units;
  job.data_num = data_num;
  job.interested_nodes = interested_nodes;
  job.distribution_nodes = distribution_nodes;
  job.channel_nodes = channel_nodes;
  job.axis = axis;
  job.curves = curve_job(nb::cast<Lists>(curves["quantize"]), nb::cast<Lists>(curves["non_quantize"]),
                         nb::cast<bool>(curves["weights"]), nb::cast<bool>(curves["activations"]),
                         nb::cast<std::string>(curves["metric"]), nb::cast<bool>(curves["average_mode"]));
  job.pick_threshold = pick_threshold;
  job.sensitive_nodes = sensitive_nodes;
  job.resume = resume;
  job.estimate = estimate;
  job.confirm = confirm;
  job.write_config = write_config;
  job.evaluate = evaluate;
  return with_subject(subject, [&](const DebugSubject& given) -> Texts {
    const DebugAllReport report = run_all(given, job);
    return {to_json(report), to_text(report.findings)};
  });
}

std::string samples(const Row& subject, const std::string& metric, int64_t count) {
  return with_subject(subject, [&](const DebugSubject& given) {
    return to_json(select_sensitive_samples(given, metric, count), metric);
  });
}

}  // namespace

// Arguments are keywords in python/twofold/debug.py, which has their defaults.
void bind_debug(nb::module_& module) {
  module.def("debug_sensitivity", sensitivity, "subject"_a, "metrics"_a, "outputs"_a, "unit"_a, "interested_nodes"_a,
             "group"_a, "group_lists"_a, "data_num"_a, "save_dir"_a, "resume"_a, "estimate"_a, "confirm"_a);
  module.def("debug_findings", findings, "subject"_a, "metrics"_a, "outputs"_a, "data_num"_a, "save_dir"_a, "resume"_a,
             "estimate"_a, "confirm"_a, "write_config"_a, "evaluate"_a);
  module.def("debug_error_curves", error_curves, "subject"_a, "quantize"_a, "non_quantize"_a, "weights"_a,
             "activations"_a, "metric"_a, "average_mode"_a, "data_num"_a, "save_dir"_a);
  module.def("debug_distribution", distribution, "subject"_a, "nodes"_a, "data_num"_a, "save_dir"_a);
  module.def("debug_channels", channels, "subject"_a, "nodes"_a, "axis"_a.none(), "data_num"_a, "save_dir"_a);
  module.def("debug_tensors", analysis_of_tensors, "subject"_a, "nodes"_a, "data_num"_a, "save_dir"_a);
  module.def("debug_sensitivity_analysis", analysis_of_sensitivity, "subject"_a, "metric"_a, "pick_threshold"_a,
             "sensitive_nodes"_a, "qtype"_a, "data_num"_a, "save_dir"_a, "resume"_a);
  module.def("debug_samples", samples, "subject"_a, "metric"_a, "count"_a);
  module.def("debug_all", all, "subject"_a, "save_dir"_a, "metrics"_a, "outputs"_a, "units"_a, "data_num"_a,
             "interested_nodes"_a, "distribution_nodes"_a, "channel_nodes"_a, "axis"_a.none(), "curves"_a,
             "pick_threshold"_a, "sensitive_nodes"_a, "resume"_a, "estimate"_a, "confirm"_a, "write_config"_a,
             "evaluate"_a);
}

}  // namespace twofold::python
