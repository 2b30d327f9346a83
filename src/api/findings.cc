#include "twofold/findings.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>

#include "api/debug_steps.h"
#include "api/evaluate_command.h"
#include "base/error.h"
#include "base/files.h"
#include "base/job_outputs.h"
#include "base/table.h"
#include "debug/findings.h"
#include "onnx/export.h"
#include "plan/config_lines.h"
#include "plan/node_names.h"
#include "quantize/decide.h"
#include "quantize/plan_cost.h"
#include "traits/gemm_type.h"

namespace twofold {

namespace {

double decibels_of(double noise) {
  return noise > 0 ? -10 * std::log10(noise) : std::numeric_limits<double>::infinity();
}

// Is gone with the object, whatever happens.
struct ModelForAWhile {
  const std::filesystem::path path;
  ~ModelForAWhile() {
    std::error_code ignored;
    std::filesystem::remove(path, ignored);
    std::filesystem::remove(path.string() + ".data", ignored);
  }
};

// The number that a command prints of the quantized model, which is gone afterwards.
double evaluate_plan(CalibratedModel& model, const Plan& plan, const std::filesystem::path& folder,
                     const std::string& command) {
  make_folders(folder);
  const ModelForAWhile file{folder / "evaluated.onnx"};
  export_onnx(model.apply(plan), file.path, {.uint8_activations = plan.uint8_activations});
  return number_from_command(command, file.path);
}

std::string config_with_lines(const ConfigSource& config, const QuantConfig& lines) {
  if (config.path.empty()) return add_config_lines(config.text, "config", lines);
  return add_config_lines(read_text_file(config.path), config.path.string(), lines);
}

class Findings {
 public:
  Findings(DebugCase& subject, const FindingsJob& job, const MeasuredUnits& nodes, std::optional<double> evaluated)
      : case_(subject), job_(job), nodes_(nodes), metrics_(parse_metrics(job.metrics)) {
    if (evaluated) report_.evaluations.emplace_back("as tested", *evaluated);
  }

  FindingsReport run() {
    outputs_ = case_.outputs(job_.outputs);
    Replanner replanner(case_.calibrated(), case_.config(), case_.target(), case_.tested_options(), case_.plan());
    DiagnosisInput input{replanner,
                         case_.measured(job_.data_num),
                         case_.calibrated(),
                         nodes_.units,
                         nodes_.sensitivities,
                         outputs_,
                         fixed_settings(),
                         {.threads = case_.subject().threads, .memory_cap = case_.subject().memory_bytes}};
    input.progress = case_.progress();
    const Diagnosis diagnosis = diagnose(input);
    report_.model = case_.model_path();
    report_.good = diagnosis.is_good();
    add_rows(diagnosis);
    if (!diagnosis.lines.nodes.empty()) settle(diagnosis.lines);
    write();
    return std::move(report_);
  }

 private:
  FixedSettings fixed_settings() const {
    FixedSettings fixed;
    if (case_.tests_plan()) return fixed;
    const NodeNames names(case_.graph());
    for (const auto* nodes : {&case_.config().nodes, &case_.config().node_info}) {
      for (const auto& [name, level] : *nodes) {
        for (const NodeId id : names.find(case_.graph(), name)) {
          const std::string& node = case_.graph().node(id).name;
          if (level.qtype || !level.operands.empty()) fixed.precision.insert(node);
          if (level.activation != ActivationConfig{}) fixed.activation.insert(node);
          if (level.weight != WeightConfig{}) fixed.weight.insert(node);
        }
      }
    }
    return fixed;
  }

  std::map<std::string, double> metrics_of(const Sensitivity& sensitivity) const {
    std::map<std::string, double> values;
    for (const Metric metric : kAllMetrics)
      values[std::string(to_string(metric))] = sensitivity.worst(outputs_, metric);
    return values;
  }

  void add_rows(const Diagnosis& diagnosis) {
    for (const Finding& finding : findings_of(diagnosis, outputs_)) {
      report_.findings.push_back({std::string(to_string(finding.kind)), finding.title, finding.text, finding.nodes,
                                  finding.remedy, config_lines(finding.lines)});
    }
    add_both_inputs(diagnosis);
    for (const Examined& kind : diagnosis.kinds) report_.kinds.push_back(row_of(kind));
    for (const Examined& block : diagnosis.blocks) report_.blocks.push_back(row_of(block));
    for (const Examined& node : diagnosis.nodes) {
      for (const Remedy& remedy : node.remedies) {
        report_.remedies.push_back({node.suspect.name, remedy.words, decibels_of(remedy.noise), remedy.added_cost(),
                                    &remedy == node.remedy()});
      }
    }
    report_.before = metrics_of(diagnosis.whole);
    report_.after = metrics_of(diagnosis.repaired);
    report_.cost = report_.cost_after = diagnosis.costs.total();
    report_.noise = diagnosis.noise;
    report_.noise_sum = diagnosis.sum;
  }

  static GroupRow row_of(const Examined& group) {
    GroupRow row{group.suspect.name, static_cast<int>(group.suspect.nodes.size()), decibels_of(group.suspect.noise)};
    const Remedy* remedy = group.remedy();
    row.remedy = remedy == nullptr ? "" : remedy->words;
    row.repaired_decibels = remedy == nullptr ? row.decibels : decibels_of(remedy->noise);
    return row;
  }

  void add_both_inputs(const Diagnosis& diagnosis) {
    std::map<std::string, double> work;
    double whole = 0;
    for (const NodeCost& node : diagnosis.costs.nodes) {
      work[node.node] = node.work;
      if (is_gemm_type(node.op_type)) whole += node.work;
    }
    for (const Examined& node : diagnosis.nodes) {
      if (!node.is_gemm) continue;
      BothInputsRow row{node.suspect.name, node.suspect.op_type, work[node.suspect.name] / std::max(whole, 1.0)};
      int tried = 0;
      for (const Remedy& remedy : node.remedies) {
        const double value = remedy.sensitivity.worst(outputs_, metrics_.front());
        if (remedy.kind == RemedyKind::kFirstAt16) row.first_at_16 = value, row.first = remedy.words, ++tried;
        if (remedy.kind == RemedyKind::kSecondAt16) row.second_at_16 = value, row.second = remedy.words, ++tried;
        if (remedy.kind == RemedyKind::kAt16) row.both_at_16 = value, ++tried;
      }
      if (tried < 3) continue;  // the target does not have all
      const auto unit = std::ranges::find(nodes_.units, node.suspect.name, &Unit::name);
      row.int8 =
          nodes_.sensitivities[static_cast<size_t>(unit - nodes_.units.begin())].worst(outputs_, metrics_.front());
      row.needs_both = node.both_inputs();
      report_.both_inputs.push_back(std::move(row));
    }
  }

  // Makes the plan that the config with the lines gives, as quantize() would, and measures that.
  void settle(const QuantConfig& lines) {
    report_.lines = config_lines(lines);
    const QuantConfig config = with_lines(case_.config(), lines);
    const auto [plan, calibrated, measured] = case_.requantized(config, job_.data_num);
    const SensitivityOptions options{.threads = case_.subject().threads, .memory_cap = 0};
    report_.after = metrics_of(measure_alone(*measured, {decided_operands(measured->graph(), plan)}, options).front());
    report_.cost_after = plan_cost(*calibrated, plan, case_.target()).total();
    if (!job_.evaluate.empty()) {
      report_.evaluations.emplace_back("with the lines",
                                       evaluate_plan(*calibrated, plan, job_.save_dir, job_.evaluate));
    }
  }

  void write() {
    make_folders(job_.save_dir);
    const std::filesystem::path file = job_.save_dir / "findings.json";
    if (!job_.write_config.empty()) report_.files.push_back(job_.write_config.string());
    report_.files.push_back(file.string());
    // First, so that the lines are there to be pasted where they cannot be merged.
    write_file(file, to_json(report_));
    if (job_.write_config.empty()) return;
    const QuantConfig lines = parse_config(report_.lines, "lines");
    write_file(job_.write_config, config_with_lines(case_.subject().config, lines));
  }

  DebugCase& case_;
  const FindingsJob& job_;
  const MeasuredUnits& nodes_;
  const std::vector<Metric> metrics_;
  std::vector<size_t> outputs_;
  FindingsReport report_;
};

// Findings about operators that are shown in a terminal.
constexpr size_t kShownFindings = 8;

std::string shortened(double value) { return std::isinf(value) ? "no error" : fmt::format("{:.1f} dB", value); }

void add_groups(const std::vector<GroupRow>& groups, std::string_view heading, size_t columns, std::string& text) {
  if (groups.empty()) return;
  Table table({std::string(heading), ">nodes", ">alone", ">then", "with"});
  for (const GroupRow& row : groups) {
    table.add({row.name, std::to_string(row.nodes), shortened(row.decibels),
               row.remedy.empty() ? "" : shortened(row.repaired_decibels), row.remedy});
  }
  text += fmt::format("\n{}", table.text(columns));
}

void add_both_inputs(const std::vector<BothInputsRow>& rows, size_t columns, std::string& text) {
  Table table({"sensitive in both inputs", "op_type", ">MACs", ">int8", ">first at 16", ">second at 16", ">both"});
  for (const BothInputsRow& row : rows) {
    if (!row.needs_both) continue;
    table.add({row.node, row.op_type, fmt::format("{:.1f} %", 100 * row.mac_share), fmt::format("{:.5f}", row.int8),
               fmt::format("{:.5f}", row.first_at_16), fmt::format("{:.5f}", row.second_at_16),
               fmt::format("{:.5f}", row.both_at_16)});
  }
  if (!table.empty()) text += fmt::format("\n{}", table.text(columns));
}

}  // namespace

std::optional<double> evaluate_tested(DebugCase& subject, const std::filesystem::path& folder,
                                      const std::string& command) {
  if (command.empty()) return std::nullopt;
  return evaluate_plan(subject.calibrated(), subject.plan(), folder, command);
}

FindingsReport findings_of_case(DebugCase& subject, const FindingsJob& job, const MeasuredUnits& nodes,
                                std::optional<double> evaluated) {
  return Findings(subject, job, nodes, evaluated).run();
}

void check_wishes(const std::string& evaluate, const std::filesystem::path& write_config, const ConfigSource& config) {
  check_evaluate_command(evaluate);
  if (write_config.empty()) return;
  config_with_lines(config, {});  // throws for a file that can take none
}

FindingsReport find_remedies(const DebugSubject& subject, const FindingsJob& job) {
  const JobOutputs outputs({job.write_config});
  check_wishes(job.evaluate, job.write_config, subject.config);
  DebugCase opened(subject);
  const SensitivityJob measuring{.metrics = job.metrics,
                                 .outputs = job.outputs,
                                 .data_num = job.data_num,
                                 .save_dir = job.save_dir,
                                 .resume = job.resume,
                                 .estimate = job.estimate,
                                 .confirm = job.confirm};
  const std::optional<double> evaluated = evaluate_tested(opened, job.save_dir, job.evaluate);
  MeasuredUnits nodes = measure_units(opened, measuring);
  FindingsReport report = findings_of_case(opened, job, nodes, evaluated);
  report.nodes = std::move(nodes.report);
  return report;
}

std::string to_text(const FindingsReport& report, size_t columns) {
  std::string text;
  size_t number = 0, left_out = 0;
  for (const FindingRow& finding : report.findings) {
    if (finding.kind != "note" && number >= kShownFindings) {
      ++left_out;
      continue;
    }
    if (left_out > 0) text += fmt::format("   ... and {} more operators; the lines below have all\n", left_out);
    left_out = 0;
    text += fmt::format("{}. {}\n   {}\n", ++number, finding.title, finding.text);
  }
  add_groups(report.kinds, "kind", columns, text);
  add_groups(report.blocks, "block", columns, text);
  add_both_inputs(report.both_inputs, columns, text);
  for (const auto& [name, value] : report.evaluations) text += fmt::format("\nevaluated {}: {}", name, value);
  if (!report.evaluations.empty()) text += "\n";
  if (!report.lines.empty()) text += fmt::format("\nLines for the config:\n\n{}", report.lines);
  return text;
}

}  // namespace twofold
