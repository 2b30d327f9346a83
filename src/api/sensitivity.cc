#include "twofold/sensitivity.h"

#include <algorithm>
#include <cmath>

#include "api/config_notes.h"
#include "api/debug_steps.h"
#include "base/content_hash.h"
#include "base/error.h"
#include "base/files.h"
#include "base/nearest_names.h"
#include "base/table.h"
#include "debug/estimate.h"
#include "debug/grouping.h"
#include "debug/rank_agreement.h"
#include "debug/results_file.h"
#include "debug/sensitivity.h"
#include "plan/plan_json.h"

namespace twofold {

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

namespace {

// Which units a job asks for.
struct Asked {
  UnitKind kind = UnitKind::kNode;
  std::optional<Grouping> grouping;
};

Asked asked_of(const SensitivityJob& job) {
  const bool grouped = !job.group.empty() || !job.group_lists.empty();
  if (grouped && !job.interested_nodes.empty()) {
    throw_error(ErrorCode::kInvalidArgument, "groups are measured, or nodes of interest, not both");
  }
  if (grouped)
    return {UnitKind::kNode, job.group_lists.empty() ? parse_grouping(job.group) : Grouping{job.group_lists}};
  if (!job.interested_nodes.empty()) return {};
  const std::optional<UnitKind> kind = parse_unit_kind(job.unit);
  if (!kind) {
    throw_error(ErrorCode::kInvalidArgument, "'{}' cannot be measured; there are node, weight and activation",
                job.unit);
  }
  return {*kind, {}};
}

void check_estimate(const SensitivityJob& job, const std::vector<Metric>& metrics) {
  if (!job.estimate) return;
  if (job.confirm < 0) throw_error(ErrorCode::kInvalidArgument, "{} units cannot be measured", job.confirm);
  for (const Metric metric : metrics) {
    if (can_be_estimated(metric)) continue;
    throw_error(ErrorCode::kInvalidArgument, "{} cannot be estimated; cosine-similarity, mse and sqnr can",
                to_string(metric));
  }
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

// One measurement of a case.
class Measurement {
 public:
  Measurement(DebugCase& subject, const SensitivityJob& job, std::filesystem::path results)
      : case_(subject),
        job_(job),
        results_(std::move(results)),
        metrics_(parse_metrics(job.metrics)),
        asked_(asked_of(job)) {
    check_estimate(job, metrics_);
  }

  MeasuredUnits run() {
    make_folders(job_.save_dir);
    const Graph& graph = case_.graph();
    // Names before anything that takes long.
    outputs_ = case_.outputs(job_.outputs);
    const std::set<std::string> nodes = nodes_named(graph, job_.interested_nodes);
    if (asked_.grouping) check_grouping(graph, *asked_.grouping);
    const Plan& plan = case_.plan();
    if (asked_.grouping) {
      result_.units = group_units(graph, plan, *asked_.grouping);
    } else {
      result_.units = nodes.empty() ? units_of(graph, plan, asked_.kind) : units_of_nodes(graph, plan, nodes);
    }
    report_ = {case_.model_path(), asked_.grouping ? "group" : std::string(to_string(asked_.kind)), job_.metrics};
    report_.notes = plan.fallbacks();
    for (std::string& note : config_notes(case_.config(), case_.subject().target))
      report_.notes.push_back(std::move(note));
    measure(plan);
    write();
    result_.report = std::move(report_);
    return std::move(result_);
  }

 private:
  // A group is what is in it.
  std::string key_of(const Unit& unit) const {
    if (!asked_.grouping) return unit_key(asked_.kind, unit.name);
    return fmt::format("{}:{} {}", report_.unit, unit.name, content_of(unit));
  }

  static std::string content_of(const Unit& unit) {
    ContentHasher hasher;
    for (const size_t operand : unit.operands) hasher.add(static_cast<uint64_t>(operand));
    return hasher.result().hex();
  }

  void measure(const Plan& plan) {
    CalibratedModel& model = case_.measured(job_.data_num);
    ResultsFile results(results_,
                        {{"model", plan.content_hash}, {"plan", hash_of(plan)}, {"data", hash_of(model.samples())}},
                        job_.resume);
    results.check_counts(model.samples().size(), case_.graph().outputs.size());
    const std::vector<Unit> open = open_units(model, plan, results);
    int64_t done = 0;
    SensitivityOptions measuring{.threads = case_.subject().threads, .memory_cap = case_.subject().memory_bytes};
    measuring.on_unit = [&](size_t i, const Sensitivity& sensitivity) {
      results.add(key_of(open[i]), sensitivity);
      if (case_.progress()) case_.progress()(fmt::format("{}s", report_.unit), ++done, report_.measured);
    };
    if (!open.empty()) measure_sensitivity(model, plan, open, measuring);
    for (size_t i = 0; i < result_.units.size(); ++i) {
      const Sensitivity* exact = results.find(key_of(result_.units[i]));
      result_.sensitivities.push_back(exact != nullptr ? *exact : estimates_->units[i]->sensitivity);
      add_row(plan, result_.units[i], result_.sensitivities.back());
      if (estimates_) add_estimate(i, exact == nullptr, report_.rows.back());
    }
    if (estimates_) compare_ranks();
    const Metric first = metrics_.front();
    std::ranges::stable_sort(report_.rows, [&](const SensitivityRow& a, const SensitivityRow& b) {
      return better(first, b.metrics.at(job_.metrics[0]), a.metrics.at(job_.metrics[0]));
    });
    report_.files.push_back(results_.string());
  }

  // Those that have to be measured and are not in the results yet.
  std::vector<Unit> open_units(CalibratedModel& model, const Plan& plan, const ResultsFile& results) {
    std::vector<bool> asked(result_.units.size(), !job_.estimate);
    if (job_.estimate) {
      const EstimateOptions options{.outputs = outputs_,
                                    .metric = metrics_.front(),
                                    .top = static_cast<size_t>(job_.confirm),
                                    .threads = case_.subject().threads,
                                    .memory_cap = case_.subject().memory_bytes};
      estimates_ = estimate_sensitivity(model, plan, result_.units, options);
      for (const size_t unit : units_to_confirm(*estimates_, outputs_, options.metric, options.top)) asked[unit] = true;
      report_.estimate = true;
      report_.sweeps = estimates_->sweeps;
      report_.notes.insert(report_.notes.end(), estimates_->notes.begin(), estimates_->notes.end());
    }
    std::vector<Unit> open;
    for (size_t i = 0; i < asked.size(); ++i) {
      if (results.find(key_of(result_.units[i])) != nullptr) {
        ++report_.reused;
      } else if (asked[i]) {
        open.push_back(result_.units[i]);
      }
    }
    report_.measured = static_cast<int64_t>(open.size());
    return open;
  }

  void add_estimate(size_t unit, bool estimated, SensitivityRow& row) const {
    row.estimated = estimated;
    if (estimated) row.deviations.clear();
    if (!estimates_->units[unit]) return;
    const UnitEstimate& estimate = *estimates_->units[unit];
    row.estimate = 10 * std::log10(estimate.noise);
    // Of a logarithm: what it changes by, for a small change.
    row.estimate_error = estimate.error > 0 ? 10 / std::log(10.0) * estimate.error / estimate.noise : 0;
  }

  // By the first metric.
  void compare_ranks() {
    const auto value = [&](const Sensitivity& sensitivity) { return sensitivity.worst(outputs_, metrics_.front()); };
    std::vector<double> estimated, exact;
    for (size_t i = 0; i < report_.rows.size(); ++i) {
      if (report_.rows[i].estimated || !report_.rows[i].estimate) continue;
      const double a = value(estimates_->units[i]->sensitivity), b = value(result_.sensitivities[i]);
      if (std::isnan(b)) continue;
      estimated.push_back(a);
      exact.push_back(b);
    }
    report_.rank_agreement = rank_agreement(estimated, exact);
  }

  void add_row(const Plan& plan, const Unit& unit, const Sensitivity& sensitivity) {
    SensitivityRow row{unit.name, unit.op_type, {}, {}, {}};
    if (asked_.grouping) row.nodes = static_cast<int>(nodes_of(plan, unit).size());
    for (size_t i = 0; i < metrics_.size(); ++i) {
      const size_t worst = sensitivity.worst_output(outputs_, metrics_[i]);
      row.metrics[job_.metrics[i]] = sensitivity.mean(worst, metrics_[i]);
      row.deviations[job_.metrics[i]] = sensitivity.deviation(worst, metrics_[i]);
      for (const size_t output : outputs_) {
        row.of_outputs[case_.graph().outputs[output].name][job_.metrics[i]] = sensitivity.mean(output, metrics_[i]);
      }
    }
    if (asked_.kind == UnitKind::kActivation) {
      const OperandPlan& operand = plan.operands()[unit.operands.front()];
      row.threshold = operand.threshold;
      row.bits = operand.granted == QType::kInt8 ? 8 : 16;
    }
    report_.rows.push_back(std::move(row));
  }

  void write() {
    const std::string name = "sensitivity_of_" + report_.unit;
    std::vector<std::string> logs = {name + ".log"};
    if (report_.unit == "node") logs.emplace_back("node_sensitivity.log");  // what it is called elsewhere
    for (const std::string& log : logs) save(log, to_log(report_));
    const std::string file = name + ".json";
    report_.files.push_back((job_.save_dir / file).string());
    write_file(job_.save_dir / file, to_json(report_));
  }

  void save(const std::string& file, const std::string& text) {
    write_file(job_.save_dir / file, text);
    report_.files.push_back((job_.save_dir / file).string());
  }

  DebugCase& case_;
  const SensitivityJob& job_;
  const std::filesystem::path results_;
  const std::vector<Metric> metrics_;
  const Asked asked_;
  std::vector<size_t> outputs_;
  std::optional<Estimates> estimates_;  // of result_.units, where they are asked for
  MeasuredUnits result_;
  SensitivityReport report_;
};

}  // namespace

MeasuredUnits measure_units(DebugCase& subject, const SensitivityJob& job, const std::filesystem::path& folder) {
  return Measurement(subject, job, (folder.empty() ? job.save_dir : folder) / "sensitivity.jsonl").run();
}

SensitivityReport get_sensitivity(const DebugSubject& subject, const SensitivityJob& job) {
  DebugCase opened(subject);
  return measure_units(opened, job).report;
}

namespace {

std::string number(double value) { return std::isnan(value) ? "nan" : fmt::format("{:.5f}", value); }

}  // namespace

std::string to_log(const SensitivityReport& report, size_t columns) {
  const bool activation = report.unit == "activation", group = report.unit == "group";
  std::vector<std::string> headings = {"node"};
  headings.insert(headings.end(), report.metrics.begin(), report.metrics.end());
  if (activation) headings.insert(headings.end(), {"threshold", "bit"});
  if (group) headings.emplace_back("nodes");
  if (report.estimate) headings.emplace_back("measured");
  Table table(std::move(headings));
  for (const SensitivityRow& row : report.rows) {
    std::vector<std::string> cells = {row.name};
    for (const std::string& metric : report.metrics) cells.push_back(number(row.metrics.at(metric)));
    if (activation) cells.insert(cells.end(), {fmt::format("{:.5f}", row.threshold), std::to_string(row.bits)});
    if (group) cells.push_back(std::to_string(row.nodes));
    if (report.estimate) cells.emplace_back(row.estimated ? "no" : "yes");
    table.add(std::move(cells));
  }
  std::string text = table.text(columns);
  // Scripts know a rule without gaps.
  const auto rule = text.begin() + static_cast<ptrdiff_t>(text.find('\n')) + 1;
  std::replace(rule, std::find(rule, text.end(), '\n'), ' ', '-');
  return fmt::format("{0}{1} sensitivity{0}\n", std::string(17, '='), report.unit) + text;
}

}  // namespace twofold
