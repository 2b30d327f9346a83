#include "twofold/sensitivity_analysis.h"

#include <fmt/format.h>

#include <algorithm>

#include "api/debug_steps.h"
#include "api/figures.h"
#include "base/error.h"
#include "base/files.h"
#include "base/nearest_names.h"
#include "base/table.h"
#include "debug/replan.h"
#include "plan/request.h"
#include "quantize/decide.h"

namespace twofold {

namespace {

NodeQType parse_node_qtype(const std::string& word) {
  std::vector<std::string> known;
  for (const NodeQType qtype : {NodeQType::kInt8, NodeQType::kInt16, NodeQType::kDualInt16, NodeQType::kInt16Ec,
                                NodeQType::kFloat16, NodeQType::kFloat32}) {
    if (word == to_string(qtype)) return qtype;
    known.emplace_back(to_string(qtype));
  }
  throw_error(ErrorCode::kInvalidArgument, "'{}' is no precision of a node; there are {}", word, quoted_list(known));
}

class Analysis {
 public:
  Analysis(DebugCase& subject, const SensitivityAnalysisJob& job, const MeasuredUnits& nodes)
      : case_(subject),
        job_(job),
        nodes_(nodes),
        metric_(parse_metrics({job.metric}).front()),
        qtype_(parse_node_qtype(job.qtype)),
        outputs_(subject.outputs({})) {}

  SensitivityAnalysisReport run() {
    report_ = {case_.model_path(), job_.metric, job_.qtype, 0, {}, {}, {}};
    pick();
    measure();
    write();
    return std::move(report_);
  }

 private:
  double value_of(const Sensitivity& sensitivity) const { return sensitivity.worst(outputs_, metric_); }

  // Given, or worse than the threshold.
  void pick() {
    const std::set<std::string> given = nodes_named(case_.graph(), job_.sensitive_nodes);
    if (!given.empty()) units_of_nodes(case_.graph(), case_.plan(), given);
    for (size_t i = 0; i < nodes_.units.size(); ++i) {
      const double alone = value_of(nodes_.sensitivities[i]);
      const bool picked =
          given.empty() ? better(metric_, job_.pick_threshold, alone) : given.contains(nodes_.units[i].name);
      if (picked) report_.rows.push_back({nodes_.units[i].name, alone, 0, 0});
    }
    std::ranges::stable_sort(report_.rows, [&](const SensitivityAnalysisRow& a, const SensitivityAnalysisRow& b) {
      return better(metric_, b.alone, a.alone);
    });
    if (report_.rows.empty()) {
      report_.notes.push_back(fmt::format("no node alone has a {} worse than {}", job_.metric, job_.pick_threshold));
    }
  }

  void measure() {
    Replanner replanner(case_.calibrated(), case_.config(), case_.target(), case_.tested_options(), case_.plan());
    std::vector<std::vector<OperandQuantization>> models = {decided_operands(case_.graph(), case_.plan())};
    QuantConfig up_to;
    for (const SensitivityAnalysisRow& row : report_.rows) {
      QuantConfig alone;
      alone.nodes[row.node].qtype = up_to.nodes[row.node].qtype = qtype_;
      for (const QuantConfig* lines : {&alone, &up_to}) {
        const Plan plan = replanner.plan(*lines);
        note_refusals(plan, row.node);
        models.push_back(decided_operands(case_.graph(), plan));
      }
    }
    const SensitivityOptions options = counting({.threads = case_.subject().threads, .memory_cap = 0}, case_.progress(),
                                                "sensitivity analysis", models.size());
    const std::vector<Sensitivity> found = measure_alone(case_.measured(job_.data_num), models, options);
    report_.quantized = value_of(found[0]);
    for (size_t i = 0; i < report_.rows.size(); ++i) {
      report_.rows[i].without = value_of(found[2 * i + 1]);
      report_.rows[i].without_up_to = value_of(found[2 * i + 2]);
    }
  }

  void note_refusals(const Plan& plan, const std::string& node) {
    for (const OperandPlan* operand : plan.of_node(node)) {
      if (operand->reason.empty() || operand->decided_by != DecidedBy::kNode) continue;
      std::string note = fmt::format("node '{}' {}: asked {}, granted {}: {}", node, to_string(operand->operand),
                                     to_string(operand->asked), to_string(operand->granted), operand->reason);
      if (std::ranges::find(report_.notes, note) == report_.notes.end()) report_.notes.push_back(std::move(note));
    }
  }

  void write() {
    make_folders(job_.save_dir);
    for (const char* file : {"sensitivity_analysis.log", "sensitivity_analysis.json", "sensitivity_analysis.svg"}) {
      report_.files.push_back((job_.save_dir / file).string());
    }
    write_file(report_.files[0], to_log(report_));
    write_file(report_.files[1], to_json(report_));
    save_figure(analysis_figure(report_), report_.files[2]);
  }

  DebugCase& case_;
  const SensitivityAnalysisJob& job_;
  const MeasuredUnits& nodes_;
  const Metric metric_;
  const NodeQType qtype_;
  const std::vector<size_t> outputs_;
  SensitivityAnalysisReport report_;
};

}  // namespace

SensitivityAnalysisReport sensitivity_analysis_of_case(DebugCase& subject, const SensitivityAnalysisJob& job,
                                                       const MeasuredUnits& nodes) {
  return Analysis(subject, job, nodes).run();
}

SensitivityAnalysisReport sensitivity_analysis(const DebugSubject& subject, const SensitivityAnalysisJob& job) {
  parse_node_qtype(job.qtype);
  DebugCase opened(subject);
  nodes_named(opened.graph(), job.sensitive_nodes);
  const SensitivityJob measuring{
      .metrics = {job.metric}, .data_num = job.data_num, .save_dir = job.save_dir, .resume = job.resume};
  return sensitivity_analysis_of_case(opened, job, measure_units(opened, measuring));
}

std::string to_log(const SensitivityAnalysisReport& report, size_t columns) {
  Table table({"node", "alone", "at_" + report.qtype, "with_all_above"});
  for (const SensitivityAnalysisRow& row : report.rows) {
    table.add({row.node, fmt::format("{:.5f}", row.alone), fmt::format("{:.5f}", row.without),
               fmt::format("{:.5f}", row.without_up_to)});
  }
  std::string text = fmt::format("{} of the quantized model: {:.5f}\n", report.metric, report.quantized);
  if (!report.rows.empty()) text += fmt::format("\n{}", table.text(columns));
  return text;
}

}  // namespace twofold
