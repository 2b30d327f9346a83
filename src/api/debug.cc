#include "twofold/debug.h"

#include <algorithm>

#include "api/float_model.h"
#include "api/job.h"
#include "api/plan_of_file.h"
#include "api/preprocessing.h"
#include "api/ptq_paths.h"
#include "api/read_config.h"
#include "base/content_hash.h"
#include "base/error.h"
#include "base/files.h"
#include "base/nearest_names.h"
#include "base/parallel_for.h"
#include "base/table.h"
#include "debug/results_file.h"
#include "debug/sensitivity.h"
#include "passes/pipeline.h"
#include "plan/plan_json.h"
#include "plan/resolve.h"
#include "quantize/decide_plan.h"

namespace twofold {

namespace {

std::vector<Metric> parse_metrics(const std::vector<std::string>& words) {
  std::vector<Metric> metrics;
  std::vector<std::string> known;
  for (const Metric metric : kAllMetrics) known.emplace_back(to_string(metric));
  for (const std::string& word : words) {
    const std::optional<Metric> metric = parse_metric(word);
    if (!metric) {
      throw_error(ErrorCode::kInvalidArgument, "'{}' is no metric; there are {}", word, quoted_list(known));
    }
    metrics.push_back(*metric);
  }
  if (metrics.empty()) throw_error(ErrorCode::kInvalidArgument, "name a metric: {}", quoted_list(known));
  return metrics;
}

UnitKind kind_of(const SensitivityJob& job) {
  if (!job.interested_nodes.empty()) return UnitKind::kNode;
  const std::optional<UnitKind> kind = parse_unit_kind(job.unit);
  if (!kind) {
    throw_error(ErrorCode::kInvalidArgument, "'{}' cannot be measured; there are node, weight and activation",
                job.unit);
  }
  return *kind;
}

// By position. Throws Error(kNotFound) with the nearest names.
std::vector<size_t> positions_of(const Graph& graph, const std::vector<std::string>& outputs) {
  std::vector<std::string> names;
  for (const GraphOutput& output : graph.outputs) names.push_back(output.name);
  std::vector<size_t> positions;
  for (const std::string& name : outputs.empty() ? names : outputs) {
    const auto it = std::ranges::find(names, name);
    if (it == names.end()) {
      throw_error(ErrorCode::kNotFound, "the model has no output '{}'; the nearest are {}", name,
                  quoted_list(nearest_names(name, names, 3)));
    }
    positions.push_back(static_cast<size_t>(it - names.begin()));
  }
  return positions;
}

std::string hash_of(SearchSamples& samples) {
  ContentHasher hasher;
  for (size_t i = 0; i < samples.size(); ++i) {
    for (const Tensor& tensor : samples.inputs(i)) hasher.add(std::span(tensor.bytes(), tensor.byte_size()));
  }
  return hasher.result().hex();
}

std::string hash_of(const Plan& plan) {
  ContentHasher hasher;
  hasher.add(plan_to_json(plan));
  return hasher.result().hex();
}

// One call of get_sensitivity().
class Measurement {
 public:
  Measurement(const std::filesystem::path& path, const Samples& data, const SensitivityJob& options)
      : options_(options),
        metrics_(parse_metrics(options.metrics)),
        kind_(kind_of(options)),
        job_(options.cancelled, options.progress),
        progress_(job_.progress()),
        config_(read_config(options.config)),
        paths_(config_, path, data, {}) {}

  SensitivityReport run() {
    make_folders(options_.save_dir);
    Graph graph = import_float_model(paths_.model());
    const std::vector<std::string> file_nodes = node_names(graph);
    run_passes(graph);
    // Names before anything that takes long.
    outputs_ = positions_of(graph, options_.outputs);
    const std::set<std::string> nodes = nodes_named(graph, options_.interested_nodes);
    const std::vector<InputSpec> inputs = input_specs(graph);
    data_ = paths_.open(inputs, dataset_options(config_.inputs, inputs));
    if (data_ == nullptr) throw_error(ErrorCode::kInvalidArgument, "there are no data to measure on: name them");
    plan_ = decided_plan(graph, file_nodes);
    units_ = nodes.empty() ? units_of(graph, plan_, kind_) : units_of_nodes(graph, plan_, nodes);
    report_ = {paths_.model().string(), std::string(to_string(kind_)), options_.metrics};
    report_.notes = plan_.fallbacks();
    measure(graph);
    write();
    return std::move(report_);
  }

 private:
  Plan decided_plan(const Graph& graph, const std::vector<std::string>& file_nodes) {
    if (!options_.plan.empty()) {
      if (!options_.config.path.empty() || !options_.config.text.empty() || !options_.target.empty()) {
        throw_error(ErrorCode::kInvalidArgument, "a plan says everything: beside it, leave out config and target");
      }
      return plan_of_file(options_.plan, graph);
    }
    const Target target = load_target(options_.target.empty() ? "cpu" : options_.target);
    Plan plan = resolve(graph, config_, target, {.input_file_nodes = file_nodes});
    CalibratedModel model(graph, data_.get(), {.threads = options_.threads});
    const StageScope scope = [](std::string_view, const std::function<void()>& step) { step(); };
    decide_plan(model, config_.model, progress_, scope, plan);
    return plan;
  }

  std::string key_of(const Unit& unit) const { return std::string(to_string(kind_)) + ":" + unit.name; }

  void measure(const Graph& graph) {
    const int64_t samples = options_.data_num > 0 ? options_.data_num : data_->size();
    CalibratedModel model(graph, data_.get(), {.threads = options_.threads, .search_samples = samples});
    ResultsFile results(options_.save_dir / "sensitivity.jsonl",
                        {{"model", plan_.content_hash}, {"plan", hash_of(plan_)}, {"data", hash_of(model.samples())}},
                        options_.resume);
    std::vector<Unit> open;
    for (const Unit& unit : units_) {
      if (results.find(key_of(unit)) == nullptr) open.push_back(unit);
    }
    report_.measured = static_cast<int64_t>(open.size());
    report_.reused = static_cast<int64_t>(units_.size() - open.size());
    int64_t done = 0;
    SensitivityOptions measuring{.threads = options_.threads, .memory_cap = options_.memory_bytes};
    measuring.on_unit = [&](size_t i, const Sensitivity& sensitivity) {
      results.add(key_of(open[i]), sensitivity);
      if (progress_) progress_("sensitivity", ++done, report_.measured);
    };
    if (!open.empty()) measure_sensitivity(model, plan_, open, measuring);
    for (const Unit& unit : units_) add_row(graph, unit, *results.find(key_of(unit)));
    const Metric first = metrics_.front();
    std::ranges::stable_sort(report_.rows, [&](const SensitivityRow& a, const SensitivityRow& b) {
      return better(first, b.metrics.at(options_.metrics[0]), a.metrics.at(options_.metrics[0]));
    });
    report_.files.push_back((options_.save_dir / "sensitivity.jsonl").string());
  }

  void add_row(const Graph& graph, const Unit& unit, const Sensitivity& sensitivity) {
    SensitivityRow row{unit.name, unit.op_type, {}, {}, {}};
    for (size_t i = 0; i < metrics_.size(); ++i) {
      const size_t worst = sensitivity.worst_output(outputs_, metrics_[i]);
      row.metrics[options_.metrics[i]] = sensitivity.mean(worst, metrics_[i]);
      row.deviations[options_.metrics[i]] = sensitivity.deviation(worst, metrics_[i]);
      for (const size_t output : outputs_) {
        row.of_outputs[graph.outputs[output].name][options_.metrics[i]] = sensitivity.mean(output, metrics_[i]);
      }
    }
    if (kind_ == UnitKind::kActivation) {
      const OperandPlan& operand = plan_.operands()[unit.operands.front()];
      row.threshold = operand.threshold;
      row.bits = operand.granted == QType::kInt8 ? 8 : 16;
    }
    report_.rows.push_back(std::move(row));
  }

  void write() {
    const std::string name = "sensitivity_of_" + report_.unit;
    std::vector<std::string> logs = {name + ".log"};
    if (kind_ == UnitKind::kNode) logs.emplace_back("node_sensitivity.log");  // what it is called elsewhere
    for (const std::string& log : logs) save(log, to_log(report_));
    const std::string file = name + ".json";
    report_.files.push_back((options_.save_dir / file).string());
    write_file(options_.save_dir / file, to_json(report_));
  }

  void save(const std::string& file, const std::string& text) {
    write_file(options_.save_dir / file, text);
    report_.files.push_back((options_.save_dir / file).string());
  }

  const SensitivityJob& options_;
  const std::vector<Metric> metrics_;
  const UnitKind kind_;
  Job job_;
  const Progress progress_;
  const QuantConfig config_;
  const PtqPaths paths_;
  std::unique_ptr<Dataset> data_;
  std::vector<size_t> outputs_;
  Plan plan_;
  std::vector<Unit> units_;
  SensitivityReport report_;
};

}  // namespace

SensitivityReport get_sensitivity(const std::filesystem::path& model, const Samples& data, const SensitivityJob& job) {
  const ThreadScope threads(job.threads);
  return Measurement(model, data, job).run();
}

std::string to_log(const SensitivityReport& report) {
  const bool activation = report.unit == "activation";
  std::vector<std::string> headings = {"node"};
  headings.insert(headings.end(), report.metrics.begin(), report.metrics.end());
  if (activation) headings.insert(headings.end(), {"threshold", "bit"});
  Table table(std::move(headings));
  for (const SensitivityRow& row : report.rows) {
    std::vector<std::string> cells = {row.name};
    for (const std::string& metric : report.metrics) cells.push_back(fmt::format("{:.5f}", row.metrics.at(metric)));
    if (activation) cells.insert(cells.end(), {fmt::format("{:.5f}", row.threshold), std::to_string(row.bits)});
    table.add(std::move(cells));
  }
  std::string text = table.text();
  // Scripts know a rule without gaps.
  const auto rule = text.begin() + static_cast<ptrdiff_t>(text.find('\n')) + 1;
  std::replace(rule, std::find(rule, text.end(), '\n'), ' ', '-');
  return fmt::format("{0}{1} sensitivity{0}\n", std::string(17, '='), report.unit) + text;
}

}  // namespace twofold
