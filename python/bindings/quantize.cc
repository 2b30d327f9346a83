// The functions of quantize.h, graph_rows.h, verify.h, inspect.h, model_inputs.h and targets.h; reports cross over as
// JSON text.
#include "twofold/quantize.h"

#include <nanobind/stl/filesystem.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/tuple.h>
#include <nanobind/stl/vector.h>

#include "base/cancellation.h"
#include "bindings.h"
#include "long_jobs.h"
#include "python_samples.h"
#include "python_types.h"
#include "twofold/graph_rows.h"
#include "twofold/inspect.h"
#include "twofold/model_inputs.h"
#include "twofold/quantize_operands.h"
#include "twofold/targets.h"
#include "twofold/verify.h"

namespace nb = nanobind;
using namespace nb::literals;

namespace twofold::python {

namespace {

std::string quantize_to_json(const std::filesystem::path& model, const SamplesOrPath& data,
                             const std::string& config_path, const std::string& config_text, const std::string& data_is,
                             const std::string& target, const std::string& compiler_version, const std::string& output,
                             const std::string& plan, bool strict, bool uint8_activations, const std::string& from_plan,
                             bool by_name, const std::vector<Statistics>& statistics,
                             const std::string& save_statistics, const std::string& sensitivity, int threads,
                             CancelledCallable cancelled, ProgressCallable progress, int bar_columns) {
  const Samples samples = to_samples(data);
  QuantizeOptions options;
  options.config = {config_path, config_text, parse_data_is(data_is)};
  options.target = target;
  options.compiler_version = compiler_version;
  options.strict = strict;
  options.uint8_activations = uint8_activations;
  options.threads = threads;
  options.output = output;
  options.plan_path = plan;
  options.from_plan = from_plan;
  options.by_name = by_name;
  options.statistics = statistics;
  options.save_statistics = save_statistics;
  options.sensitivity = sensitivity;
  options.cancelled = AskPython(cancelled);
  const nb::gil_scoped_release release;
  const ShowProgress show(progress, bar_columns);
  options.progress = show.progress();
  return to_json(quantize(model, samples, options));
}

std::string verify_to_json(const std::filesystem::path& reference, const std::filesystem::path& other,
                           const SamplesOrPath& data, const std::string& config_path, const std::string& config_text,
                           const std::string& data_is, int threads, CancelledCallable cancelled,
                           ProgressCallable progress, int bar_columns) {
  const Samples samples = to_samples(data);
  const Cancelled ask = AskPython(cancelled);
  const nb::gil_scoped_release release;
  const ShowProgress show(progress, bar_columns);
  const VerifyOptions options{.config = {config_path, config_text, parse_data_is(data_is)},
                              .threads = threads,
                              .progress = show.progress(),
                              .cancelled = ask};
  return to_json(verify_models(reference, other, samples, options));
}

std::string resolve_rows_to_json(const std::string& rows, const std::string& config_path,
                                 const std::string& config_text, const std::string& target,
                                 const std::string& compiler_version, bool strict,
                                 const std::vector<std::string>& input_file_nodes) {
  const nb::gil_scoped_release release;
  return resolve_rows(rows_from_json(rows, "graph"),
                      {{config_path, config_text}, target, compiler_version, strict, input_file_nodes});
}

std::string graph_rows_to_json(const std::filesystem::path& model) {
  const nb::gil_scoped_release release;
  return to_json(simplified_rows(model));
}

std::string model_inputs_to_json(const std::filesystem::path& model, const std::string& config_path,
                                 const std::string& config_text) {
  const nb::gil_scoped_release release;
  return to_json(model_inputs(model, {config_path, config_text}));
}

std::vector<std::string> folders_of_config(const std::string& config_path, const std::string& config_text) {
  const nb::gil_scoped_release release;
  return calibration_folders({config_path, config_text});
}

using OperandTuple = std::tuple<std::string, std::string, std::string, std::vector<float>, std::vector<int32_t>, int>;

// Calls make(model, operands) without the GIL.
template <typename Make>
std::string of_operands(const nb::bytes& model, const std::vector<OperandTuple>& rows, const Make& make) {
  std::vector<OperandIntegers> operands;
  for (const auto& [node, operand, precision, scale, zero_point, axis] : rows) {
    operands.push_back({node, operand, precision, scale, zero_point, axis});
  }
  const std::span<const std::byte> content(static_cast<const std::byte*>(model.data()), model.size());
  const nb::gil_scoped_release release;
  return make(content, operands, "model");
}

nb::bytes quantized_operands(const nb::bytes& model, const std::vector<OperandTuple>& rows) {
  const std::string quantized = of_operands(model, rows, quantize_operands);
  return nb::bytes(quantized.data(), quantized.size());
}

std::string planned_operands(const nb::bytes& model, const std::vector<OperandTuple>& rows) {
  return of_operands(model, rows, plan_of_operands);
}

void split(const std::filesystem::path& model, const std::vector<std::string>& nodes,
           const std::filesystem::path& output) {
  const Cancelled interrupted = AskPython(nb::none());
  const nb::gil_scoped_release release;
  const CancellationScope scope(interrupted);
  split_model(model, nodes, output);
}

std::string inspect_to_json(const std::filesystem::path& model) {
  const Cancelled interrupted = AskPython(nb::none());
  const nb::gil_scoped_release release;
  const CancellationScope scope(interrupted);
  return to_json(inspect(model));
}

}  // namespace

void bind_quantize(nb::module_& module) {
  module.def("quantize_to_json", quantize_to_json, "model"_a, "data"_a, "config_path"_a, "config_text"_a, "data_is"_a,
             "target"_a, "compiler_version"_a, "output"_a, "plan"_a, "strict"_a, "uint8_activations"_a, "from_plan"_a,
             "by_name"_a, "statistics"_a, "save_statistics"_a, "sensitivity"_a, "threads"_a, "cancelled"_a.none(),
             "progress"_a.none(), "bar_columns"_a);
  module.def("verify_to_json", verify_to_json, "reference"_a, "other"_a, "data"_a, "config_path"_a, "config_text"_a,
             "data_is"_a, "threads"_a, "cancelled"_a.none(), "progress"_a.none(), "bar_columns"_a);
  module.def("resolve_rows_to_json", resolve_rows_to_json, "rows"_a, "config_path"_a, "config_text"_a, "target"_a,
             "compiler_version"_a, "strict"_a, "input_file_nodes"_a);
  module.def("quantize_operands", quantized_operands, "model"_a, "operands"_a,
             "An ONNX file's bytes with QuantizeLinear and DequantizeLinear at operands: (node, operand, precision, "
             "scales, zero points, axis).");
  module.def("plan_of_operands", planned_operands, "model"_a, "operands"_a,
             "The same as the text of a plan file, for the model as it is simplified.");
  module.def("graph_rows_to_json", graph_rows_to_json, "model"_a);
  module.def("calibration_folders", folders_of_config, "config_path"_a, "config_text"_a,
             "Folders of samples that the config names, in its own order.");
  module.def("model_inputs_to_json", model_inputs_to_json, "model"_a, "config_path"_a, "config_text"_a);
  module.def("inspect_to_json", inspect_to_json, "model"_a);
  module.def("split", split, "model"_a, "nodes"_a, "output"_a,
             "Writes the float model with each named operator as two int8-friendly ones and an Add.");
  module.def("target_names", &target_names, "Names of the built-in targets.");
}

}  // namespace twofold::python
