#include "twofold/debug_all.h"

#include <algorithm>
#include <limits>

#include "api/debug_steps.h"
#include "api/figures.h"
#include "api/operand_numbers.h"
#include "api/page.h"
#include "base/error.h"
#include "base/files.h"
#include "base/job_outputs.h"
#include "debug/error_curves.h"
#include "report/report.h"

namespace twofold {

namespace {

// The most sensitive nodes of which distributions are drawn where nobody names any.
constexpr size_t kDrawn = 10;
// Points of the curves over the number of quantized nodes.
constexpr size_t kPoints = 40;

class All {
 public:
  All(DebugCase& subject, const DebugAllJob& job) : case_(subject), job_(job) {}

  DebugAllReport run() {
    check();
    const std::optional<double> evaluated = evaluate_tested(case_, job_.save_dir, job_.evaluate);
    nodes_ = measure("node");
    for (const std::string& unit : job_.units) {
      if (unit != "node") report_.sensitivities.push_back(measure(unit).report);
    }
    report_.sensitivities.push_back(nodes_.report);
    if (!job_.interested_nodes.empty()) measure_interesting();
    report_.findings = findings_of_case(case_,
                                        {.metrics = job_.metrics,
                                         .outputs = job_.outputs,
                                         .data_num = job_.data_num,
                                         .save_dir = job_.save_dir,
                                         .write_config = job_.write_config,
                                         .evaluate = job_.evaluate},
                                        nodes_, evaluated);
    take_files(report_.findings.files);
    draw_curves();
    draw_distributions();
    analyze();
    write_page();
    return std::move(report_);
  }

 private:
  std::filesystem::path folder(const char* name) const { return job_.save_dir / name; }

  void take_files(const std::vector<std::string>& files) {
    report_.files.insert(report_.files.end(), files.begin(), files.end());
  }

  // What was asked for before anything that takes long, apart from the calibration.
  void check() {
    case_.outputs(job_.outputs);
    for (const auto* names : {&job_.interested_nodes, &job_.sensitive_nodes}) nodes_named(case_.graph(), *names);
    for (const auto* lists : {&job_.curves.quantize_nodes, &job_.curves.non_quantize_nodes}) {
      for (const std::vector<std::string>& list : *lists) nodes_named(case_.graph(), list);
    }
    parse_metrics({job_.curves.metric});
    for (const std::string& unit : job_.units) {
      if (parse_unit_kind(unit)) continue;
      throw_error(ErrorCode::kInvalidArgument, "'{}' cannot be measured; there are node, weight and activation", unit);
    }
    check_wishes(job_.evaluate, job_.write_config, case_.subject().config);
    for (const auto* names : {&job_.distribution_nodes, &job_.channel_nodes}) operands_named(case_, *names);
    if (!job_.channel_nodes.empty()) check_channels(case_, channels());
  }

  MeasuredUnits measure(const std::string& unit) {
    const bool first = report_.files.empty();
    MeasuredUnits measured = measure_units(case_,
                                           {.metrics = job_.metrics,
                                            .outputs = job_.outputs,
                                            .unit = unit,
                                            .data_num = job_.data_num,
                                            .save_dir = folder("node_sensitivity"),
                                            .resume = job_.resume || !first,
                                            .estimate = job_.estimate,
                                            .confirm = job_.confirm},
                                           job_.save_dir);
    take_files(measured.report.files);
    return measured;
  }

  void measure_interesting() {
    const MeasuredUnits measured = measure_units(case_,
                                                 {.metrics = job_.metrics,
                                                  .outputs = job_.outputs,
                                                  .interested_nodes = job_.interested_nodes,
                                                  .data_num = job_.data_num,
                                                  .save_dir = folder("node_sensitivity"),
                                                  .resume = true},
                                                 job_.save_dir);
    report_.sensitivities.back() = measured.report;
  }

  std::vector<std::string> worst_nodes() const {
    std::vector<std::string> names;
    for (const SensitivityRow& row : nodes_.report.rows) {
      if (names.size() < kDrawn) names.push_back(row.name);
    }
    return names;
  }

  DistributionJob channels() const {
    return {job_.channel_nodes, job_.axis, job_.data_num, folder("channelwise_distribution")};
  }

  void draw_distributions() {
    DistributionJob job{job_.distribution_nodes.empty() ? worst_nodes() : job_.distribution_nodes,
                        {},
                        job_.data_num,
                        folder("data_distribution")};
    take_files(distributions_of_case(case_, job).files);
    job = channels();
    if (job.nodes.empty()) job.nodes = worst_nodes();
    take_files(channels_of_case(case_, job).files);
  }

  void draw_curves() {
    ErrorCurveJob job = job_.curves;
    job.save_dir = folder("accumulate_error");
    if (job.quantize_nodes.empty() && job.non_quantize_nodes.empty() && !job.weights && !job.activations) {
      job.weights = job.activations = true;
      job.non_quantize_nodes.emplace_back();
    }
    report_.curves = error_curves_of_case(case_, job);
    take_files(report_.curves.files);
    std::vector<size_t> order(nodes_.units.size());
    for (size_t i = 0; i < order.size(); ++i) order[i] = i;
    report_.graph_order = growth(order);
    const std::vector<size_t> outputs = case_.outputs(job_.outputs);
    std::ranges::stable_sort(order, {}, [&](size_t i) { return nodes_.sensitivities[i].noise(outputs); });
    report_.rank_order = growth(order);
    const std::filesystem::path file = job.save_dir / "growing_error.svg";
    save_figure(growth_figure(report_.graph_order, report_.rank_order, job_.metrics.front()), file);
    report_.files.push_back(file.string());
  }

  GrowthRow growth(const std::vector<size_t>& order) {
    std::vector<Unit> units;
    for (const size_t i : order) units.push_back(nodes_.units[i]);
    const SensitivityOptions options =
        counting({.threads = case_.subject().threads, .memory_cap = case_.subject().memory_bytes}, case_.progress(),
                 "growing error", std::min(kPoints, units.size()));
    const Growth found = errors_growing(case_.measured(job_.data_num), case_.plan(), units, kPoints, options);
    const std::vector<size_t> outputs = case_.outputs(job_.outputs);
    const Metric metric = parse_metrics(job_.metrics).front();
    GrowthRow row{found.counts, {}};
    for (const Sensitivity& errors : found.errors) {
      row.values.push_back(errors.worst(outputs, metric));
    }
    return row;
  }

  void analyze() {
    SensitivityAnalysisJob job{.metric = job_.curves.metric,
                               .pick_threshold = job_.pick_threshold,
                               .sensitive_nodes = job_.sensitive_nodes,
                               .data_num = job_.data_num,
                               .save_dir = folder("sensitivity_analysis")};
    report_.analysis = sensitivity_analysis_of_case(case_, job, nodes_);
    take_files(report_.analysis.files);
  }

  void write_page() {
    const std::filesystem::path file = job_.save_dir / "report.html";
    write_file(file, report_html(page_of(case_, job_, report_, nodes_).dump()));
    report_.files.insert(report_.files.begin(), file.string());
  }

  DebugCase& case_;
  const DebugAllJob& job_;
  MeasuredUnits nodes_;
  DebugAllReport report_;
};

}  // namespace

DebugAllReport run_all(const DebugSubject& subject, const DebugAllJob& job) {
  const JobOutputs outputs({job.write_config});
  DebugCase opened(subject);
  return All(opened, job).run();
}

}  // namespace twofold
