#include "twofold/quantize.h"

#include <sys/resource.h>

#include <chrono>

#include "api/config_notes.h"
#include "api/float_model.h"
#include "api/job.h"
#include "api/plan_of_file.h"
#include "api/preprocessing.h"
#include "api/ptq_paths.h"
#include "api/read_config.h"
#include "api/recorded_plan.h"
#include "api/report_rows.h"
#include "api/statistics_state.h"
#include "base/cancellation.h"
#include "base/error.h"
#include "base/files.h"
#include "base/job_outputs.h"
#include "base/parallel_for.h"
#include "debug/operand_sensitivity.h"
#include "onnx/export.h"
#include "passes/pipeline.h"
#include "plan/plan_json.h"
#include "plan/resolve.h"
#include "quantize/compare.h"
#include "quantize/decide_plan.h"
#include "traits/op_names.h"

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

std::vector<std::string> collect_notes(const QuantConfig& config, const std::string& target, const PtqPaths& paths,
                                       const Plan& plan) {
  std::vector<std::string> notes = plan.fallbacks();
  for (std::string& note : paths.notes()) notes.push_back(std::move(note));
  notes.insert(notes.end(), plan.notes.begin(), plan.notes.end());
  for (std::string& note : config_notes(config, target)) notes.push_back(std::move(note));
  return notes;
}

std::vector<InputRangeRow> input_ranges(const CalibratedModel& model) {
  std::vector<InputRangeRow> rows;
  for (const ValueId input : model.graph().inputs) {
    const auto seen = model.statistics().find(input);
    if (seen == model.statistics().end()) continue;
    rows.push_back({model.graph().value(input).name, seen->second.min(), seen->second.max()});
  }
  return rows;
}

void check_options(const QuantizeOptions& options) {
  const bool from_plan = !options.from_plan.empty();
  const bool decides = !options.config.path.empty() || !options.config.text.empty() || !options.target.empty() ||
                       options.strict || !options.compiler_version.empty() || options.uint8_activations ||
                       !options.sensitivity.empty();
  if (from_plan && decides) {
    throw_error(
        ErrorCode::kInvalidArgument,
        "a plan says everything: beside it, leave out config, target, compiler version, strict, sensitivity and "
        "activation format");
  }
  if (from_plan && (!options.statistics.empty() || !options.save_statistics.empty())) {
    throw_error(ErrorCode::kInvalidArgument, "a plan has its ranges: statistics are neither taken nor made beside it");
  }
  if (options.by_name && !from_plan) {
    throw_error(ErrorCode::kInvalidArgument, "by_name says how a plan is carried over, and no plan is given");
  }
}

// What the caller has measured elsewhere takes the place of random numbers.
QuantConfig config_of(const QuantizeOptions& options) {
  QuantConfig config = read_config(options.config);
  if (!options.statistics.empty()) config.random_data = false;
  return config;
}

// One call of quantize().
class Quantization {
 public:
  Quantization(const std::filesystem::path& model, const Samples& data, const QuantizeOptions& options)
      : options_(options),
        job_(options.cancelled, options.progress),
        progress_(job_.progress()),
        outputs_({options.plan_path, options.save_statistics}),
        config_(read_after_claiming(options)),
        paths_(config_, model, data, options.output),
        stopwatch_(report_.stages) {}

  QuantizeReport run() {
    report_.model = paths_.model().string();
    Graph graph = open();
    Plan plan =
        options_.from_plan.empty() ? resolve_plan(graph) : plan_of_file(options_.from_plan, graph, options_.by_name);
    report_.target = plan.target;
    if (options_.dry_run) return report_of(plan);
    paths_.claim_named_output(outputs_);
    const std::vector<InputSpec> inputs = input_specs(graph);
    const std::unique_ptr<Dataset> samples = paths_.open(inputs, dataset_options(config_, inputs));
    CalibratedModel model(std::move(graph), samples.get(), {.threads = options_.threads});
    if (options_.from_plan.empty()) {
      plan = decide(model);
      report_.inputs = input_ranges(model);
    } else {
      model.equalize(plan.equalizations);
    }
    Graph quantized;
    stage("apply", [&] {
      quantized = model.apply(plan);
      record_plan(plan, paths_.model(), quantized);
    });
    if (samples != nullptr) stage("evaluate", [&] { evaluate(model.graph(), quantized, *samples); });
    stage("export", [&] { write(quantized, plan); });
    return report_of(plan);
  }

 private:
  QuantizeReport report_of(const Plan& plan) {
    report_.operands = operand_rows(plan);
    for (const OperandRow& row : report_.operands) ++report_.operand_counts[row.granted];
    report_.notes = collect_notes(config_, options_.target, paths_, plan);
    const bool measures = options_.from_plan.empty() && !config_.model.all_node_type;
    if (options_.dry_run && measures) {
      report_.notes.emplace_back(
          "all_node_type is auto: which operators beside products get more than int8 is measured on the data, and int8 "
          "stands for that here");
    }
    return std::move(report_);
  }

  // What is written is known before anything is read.
  QuantConfig read_after_claiming(const QuantizeOptions& options) {
    if (!options.output.empty()) claim_model(outputs_, options.output);
    return config_of(options);
  }

  void stage(std::string_view name, const std::function<void()>& step) { stopwatch_.time(name, step); }

  std::function<void(int64_t, int64_t)> progress_of(std::string_view name) const {
    if (!progress_) return nullptr;
    return [this, name](int64_t done, int64_t total) { progress_(name, done, total); };
  }

  Graph open() {
    Graph graph;
    stage("import", [&] {
      graph = import_float_model(paths_.model(), config_.output_nodes);
      input_file_nodes_ = node_names(graph);
    });
    stage("simplify", [&] { run_passes(graph); });
    return graph;
  }

  // Refuses what cannot be planned before any data are read.
  Plan resolve_plan(const Graph& graph) {
    target_ = load_target(target_name(options_.target, config_));
    resolve_options_ = {.strict = options_.strict,
                        .compiler_version = options_.compiler_version,
                        .sensitivity = options_.sensitivity.empty() ? decltype(ResolveOptions::sensitivity)()
                                                                    : operand_sensitivity(graph, options_.sensitivity),
                        .input_file_nodes = input_file_nodes_};
    return resolve(graph, config_, target_, resolve_options_);
  }

  Plan decide(CalibratedModel& model) {
    const StageScope scope = [this](std::string_view name, const std::function<void()>& step) { stage(name, step); };
    if (!options_.save_statistics.empty() && options_.statistics.empty()) {
      stage("observe", [&] { statistics_ = to_bytes(model.observe(progress_of("observe"))); });
    } else if (!options_.statistics.empty()) {
      ModelStatistics merged = options_.statistics.front().state().statistics;
      for (size_t i = 1; i < options_.statistics.size(); ++i) merged.merge(options_.statistics[i].state().statistics);
      model.set_statistics(merged);
      if (!options_.save_statistics.empty()) statistics_ = to_bytes(merged);
    }
    Plan plan = decide_plan(model, {config_, target_, resolve_options_}, progress_, scope);
    plan.uint8_activations = options_.uint8_activations;
    return plan;
  }

  void evaluate(const Graph& graph, const Graph& quantized, const Dataset& samples) {
    const CompareOptions compare_options{
        .threads = options_.threads, .max_samples = kEvaluationSamples, .progress = progress_of("evaluate")};
    const Comparison comparison = compare(graph, quantized, samples, compare_options);
    report_.outputs = tensor_rows(comparison.outputs);
    report_.tensors = tensor_rows(comparison.tensors);
  }

  // A job that is cancelled leaves nothing: once the model is in its place, nobody is asked any more.
  void write(const Graph& quantized, const Plan& plan) {
    if (const std::filesystem::path output = paths_.output(); !output.empty()) {
      report_.file_bytes = export_onnx(quantized, output, {.uint8_activations = plan.uint8_activations});
      report_.output = output.string();
    }
    const InheritedCancellation nobody(nullptr);
    if (!options_.save_statistics.empty()) {
      write_file(options_.save_statistics, {reinterpret_cast<const char*>(statistics_.data()), statistics_.size()});
    }
    if (!options_.plan_path.empty()) save_plan(plan, options_.plan_path);
  }

  const QuantizeOptions& options_;
  Job job_;
  const Progress progress_;
  JobOutputs outputs_;
  const QuantConfig config_;
  const PtqPaths paths_;
  QuantizeReport report_;
  Stopwatch stopwatch_;
  std::vector<std::string> input_file_nodes_;
  // Of a plan that is decided here.
  Target target_;
  ResolveOptions resolve_options_;
  std::vector<std::byte> statistics_;  // what is to be saved of them
};

}  // namespace

QuantizeReport quantize(const std::filesystem::path& model, const Samples& data, const QuantizeOptions& options) {
  check_options(options);
  const ThreadScope threads(options.threads);
  return Quantization(model, data, options).run();
}

}  // namespace twofold
