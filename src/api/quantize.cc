#include "twofold/quantize.h"

#include <sys/resource.h>

#include <chrono>

#include "api/preprocessing.h"
#include "api/ptq_paths.h"
#include "api/read_config.h"
#include "api/report_rows.h"
#include "base/error.h"
#include "base/files.h"
#include "base/parallel_for.h"
#include "dialect/registry.h"
#include "onnx/export.h"
#include "onnx/import.h"
#include "passes/pipeline.h"
#include "plan/fingerprint.h"
#include "plan/plan_json.h"
#include "plan/resolve.h"
#include "quantize/quantize_graph.h"

namespace twofold {

namespace {

// Samples that the closing evaluation runs on.
constexpr int64_t kEvaluationSamples = 16;

uint64_t peak_memory_bytes() {
  struct rusage usage {};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<uint64_t>(usage.ru_maxrss) * 1024;
}

// Times steps into rows of the report.
class Stopwatch {
 public:
  explicit Stopwatch(std::vector<StageRow>& rows) : rows_(rows) {}

  void time(std::string_view stage, const std::function<void()>& step) {
    const auto start = std::chrono::steady_clock::now();
    step();
    const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - start;
    rows_.push_back({std::string(stage), elapsed.count(), peak_memory_bytes()});
  }

 private:
  std::vector<StageRow>& rows_;
};

void check_is_float(const Graph& graph) {
  for (NodeId id : graph.topological_order()) {
    if (!graph.node(id).is("QuantizeLinear") && !graph.node(id).is("DequantizeLinear")) continue;
    throw_error(ErrorCode::kInvalidArgument,
                "the model is quantized already (node '{}' is a {}); quantize the float one", graph.node(id).name,
                graph.node(id).op_type);
  }
}

std::vector<std::string> node_names(const Graph& graph) {
  std::vector<std::string> names;
  for (NodeId id : graph.topological_order()) names.push_back(graph.node(id).name);
  return names;
}

std::vector<std::string> collect_notes(const QuantConfig& config, const PtqPaths& paths, const Plan& plan) {
  std::vector<std::string> notes = plan.fallbacks();
  for (std::string& note : paths.notes()) notes.push_back(std::move(note));
  notes.insert(notes.end(), plan.notes.begin(), plan.notes.end());
  if (!config.unused_keys.empty()) {
    notes.push_back(
        fmt::format("not used here (they drive a device's compiler): {}", fmt::join(config.unused_keys, ", ")));
  }
  return notes;
}

}  // namespace

QuantizeReport quantize(const std::filesystem::path& model, const Samples& data, const QuantizeOptions& options) {
  for (const std::filesystem::path& path : {options.output, options.plan_path}) {
    if (!path.empty()) check_writable(path);
  }
  const QuantConfig config = read_config(options.config);
  const PtqPaths paths(config, model, data, options.output);
  const ThreadScope threads(options.threads);
  QuantizeReport report;
  report.model = paths.model().string();
  Stopwatch stopwatch(report.stages);
  const StageScope stage = [&](std::string_view name, const std::function<void()>& step) {
    stopwatch.time(name, step);
  };

  Graph graph;
  std::vector<std::string> input_file_nodes;
  stage("import", [&] {
    graph = import_onnx(paths.model());
    check_operators(graph);
    check_is_float(graph);
    input_file_nodes = node_names(graph);
  });
  stage("simplify", [&] { run_passes(graph); });
  const Target target = load_target(options.target);
  report.target = target.name;
  Plan plan = resolve(graph, config, target,
                      {.strict = options.strict,
                       .compiler_version = options.compiler_version,
                       .input_file_nodes = std::move(input_file_nodes)});
  const std::vector<InputSpec> inputs = input_specs(graph);
  paths.prepare_output();
  const std::unique_ptr<Dataset> samples = paths.open(inputs, dataset_options(config.inputs, inputs));
  const Graph quantized = quantize_graph(graph, *samples, config, options.threads, options.progress, stage, plan);

  stage("evaluate", [&] {
    CompareOptions compare_options{.threads = options.threads, .max_samples = kEvaluationSamples};
    if (options.progress) {
      compare_options.progress = [&](int64_t done, int64_t total) { options.progress("evaluate", done, total); };
    }
    const Comparison comparison = compare(graph, quantized, *samples, compare_options);
    report.outputs = tensor_rows(comparison.outputs);
    report.tensors = tensor_rows(comparison.tensors);
  });
  stage("export", [&] {
    if (const std::filesystem::path output = paths.output(); !output.empty()) {
      report.file_bytes = export_onnx(quantized, output, {.uint8_activations = options.uint8_activations});
      report.output = output.string();
    }
    if (!options.plan_path.empty()) save_plan(plan, options.plan_path);
  });
  report.operands = operand_rows(plan);
  for (const OperandRow& row : report.operands) ++report.operand_counts[row.granted];
  report.notes = collect_notes(config, paths, plan);
  return report;
}

}  // namespace twofold
