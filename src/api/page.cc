#include "api/page.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "api/figures.h"
#include "api/operand_numbers.h"
#include "base/json_number.h"
#include "debug/findings.h"
#include "debug/operand_statistics.h"

namespace twofold {

namespace {

using Json = nlohmann::ordered_json;

// Bins of a histogram on the page: with two tensors each, 2,000 nodes stay below 5 MB.
constexpr size_t kBins = 64;

Json numbers(const std::map<std::string, double>& values) {
  Json json = Json::object();
  for (const auto& [name, value] : values) json[name] = json_number(value);
  return json;
}

// Six digits are enough to look at.
Json rounded(double value) {
  if (!std::isfinite(value)) return json_number(value);
  return std::strtod(fmt::format("{:.6g}", value).c_str(), nullptr);
}

Json tenths(double value) { return std::isfinite(value) ? Json(std::round(10 * value) / 10) : json_number(value); }

std::string percent(double share) { return fmt::format("{:.1f} %", 100 * share); }

class Page {
 public:
  Page(DebugCase& subject, const DebugAllJob& job, const DebugAllReport& report, const MeasuredUnits& nodes)
      : case_(subject), job_(job), report_(report), nodes_(nodes) {}

  Json run() {
    add_tensors();
    return {{"title", std::filesystem::path(case_.model_path()).filename().string()},
            {"facts", facts()},
            {"outputs", outputs()},
            {"findings", findings()},
            {"config", report_.findings.lines},
            {"sensitivity", sensitivities()},
            {"figures", figures()},
            {"graph",
             {{"nodes", graph_nodes()}, {"error_label", "noise over signal of the output, the node alone quantized"}}},
            {"tensors", std::move(tensors_)}};
  }

 private:
  Json facts() const {
    const FindingsReport& found = report_.findings;
    Json facts = Json::array();
    const auto add = [&facts](const char* name, const std::string& text) { facts.push_back({name, text}); };
    add("Model", case_.model_path());
    add("Target", case_.plan().target);
    add("Samples", std::to_string(case_.measured(job_.data_num).samples().size()));
    add("Quantized nodes", std::to_string(nodes_.units.size()));
    add("Signal over noise", decibels(found.noise));
    add("Sum of all nodes alone", decibels(found.noise_sum));
    if (!found.lines.empty()) add("Cost with the lines", fmt::format("{:.2f} times", found.cost_after / found.cost));
    for (const auto& [name, value] : found.evaluations) add("Evaluated", fmt::format("{}: {}", name, value));
    return facts;
  }

  Json outputs() const {
    Json outputs = {{{"name", "as tested"}, {"metrics", numbers(report_.findings.before)}}};
    if (!report_.findings.lines.empty()) {
      outputs.push_back({{"name", "with the lines"}, {"metrics", numbers(report_.findings.after)}});
    }
    return outputs;
  }

  Json findings() const {
    Json findings = Json::array();
    for (const FindingRow& row : report_.findings.findings) {
      Json finding = {{"severity", row.kind}, {"title", row.title}, {"text", row.text}, {"nodes", row.nodes}};
      if (!row.lines.empty()) finding["config"] = row.lines;
      findings.push_back(std::move(finding));
    }
    add_table("Both inputs", both_inputs(), findings);
    add_table("Kinds of operators, and blocks", groups(), findings);
    add_table("What was tried", remedies(), findings);
    return findings;
  }

  static void add_table(const char* title, Json table, Json& findings) {
    if (table["rows"].empty()) return;
    findings.push_back({{"severity", "note"}, {"title", title}, {"table", std::move(table)}});
  }

  Json both_inputs() const {
    Json rows = Json::array();
    for (const BothInputsRow& row : report_.findings.both_inputs) {
      rows.push_back({row.node, row.op_type, percent(row.mac_share), rounded(row.int8), rounded(row.first_at_16),
                      rounded(row.second_at_16), rounded(row.both_at_16), row.needs_both ? "yes" : ""});
    }
    return {{"headings",
             {"Node", "Operator", "MACs", "int8", "First at 16 bits", "Second at 16 bits", "Both", "Needs both"}},
            {"rows", std::move(rows)}};
  }

  Json groups() const {
    Json rows = Json::array();
    for (const auto* groups : {&report_.findings.kinds, &report_.findings.blocks}) {
      for (const GroupRow& row : *groups) {
        rows.push_back({row.name, row.nodes, tenths(row.decibels), row.remedy, tenths(row.repaired_decibels)});
      }
    }
    return {{"headings", {"Group", "Nodes", "Alone, dB", "With", "Then, dB"}}, {"rows", std::move(rows)}};
  }

  Json remedies() const {
    Json rows = Json::array();
    for (const RemedyRow& row : report_.findings.remedies) {
      rows.push_back({row.node, row.remedy, tenths(row.decibels), percent(row.added_cost), row.chosen ? "chosen" : ""});
    }
    return {{"headings", {"Node", "Remedy", "Then alone, dB", "Added cost", ""}}, {"rows", std::move(rows)}};
  }

  Json sensitivities() const {
    Json all = Json::array();
    for (const SensitivityReport& report : report_.sensitivities) {
      Json rows = Json::array();
      for (const SensitivityRow& row : report.rows) {
        Json entry = {{"name", row.name}, {"op_type", row.op_type}, {"metrics", numbers(row.metrics)}};
        if (row.bits > 0) entry["threshold"] = rounded(row.threshold);
        if (row.bits > 0) entry["bits"] = row.bits;
        rows.push_back(std::move(entry));
      }
      all.push_back({{"unit", report.unit}, {"metrics", report.metrics}, {"rows", std::move(rows)}});
    }
    return all;
  }

  Json figures() const {
    return {{{"section", "Error curves"},
             {"figure", growth_figure(report_.graph_order, report_.rank_order, job_.metrics.front())}},
            {{"section", "Error curves"}, {"figure", curves_figure(report_.curves)}},
            {{"section", "Sensitive nodes"}, {"figure", analysis_figure(report_.analysis)}}};
  }

  // Of every operand once, for the nodes that read it.
  void add_tensors() {
    const std::vector<size_t> operands = operands_named(case_, {});
    for (const OperandStatistics& statistics : operand_statistics(case_.measured(job_.data_num), case_.plan(), operands,
                                                                  kBins, case_.progress_of("numbers"))) {
      const OperandPlan& operand = case_.plan().operands()[statistics.operand];
      place_.emplace(std::pair(operand.value, operand.granted), tensors_.size());
      tensors_.push_back(tensor_of(operand, statistics));
    }
  }

  Json tensor_of(const OperandPlan& operand, const OperandStatistics& statistics) const {
    const QParams& params = *operand.params;
    Json thresholds = Json::array();
    for (const double end : range_of(operand)) thresholds.push_back(rounded(end));
    const Graph& graph = case_.graph();
    const bool constant = graph.constant(graph.find_value(operand.value)) != nullptr;
    return {{"name", operand.value},
            {"kind", constant ? "weight" : "activation"},
            {"node", operand.node},
            {"dtype", to_string(operand.granted)},
            {"shape", fmt::format("{}", fmt::join(statistics.shape, "x"))},
            {"min", rounded(statistics.before.min)},
            {"max", rounded(statistics.before.max)},
            {"mean", rounded(statistics.before.mean)},
            {"deviation", rounded(statistics.before.deviation)},
            {"scale",
             params.scale.size() == 1 ? rounded(params.scale[0]) : Json(fmt::format("{} scales", params.scale.size()))},
            {"clipped", rounded(statistics.clipped)},
            {"sqnr", rounded(statistics.error.value(Metric::kSqnr))},
            {"cosine", rounded(statistics.error.value(Metric::kCosineSimilarity))},
            {"histogram",
             {{"low", rounded(statistics.bins.low)},
              {"step", rounded(statistics.bins.step)},
              {"series",
               {{{"name", "float"}, {"counts", statistics.bins.before}},
                {{"name", "quantized"}, {"counts", statistics.bins.after}}}},
              {"thresholds", std::move(thresholds)},
              {"x_label", "value"}}}};
  }

  Json graph_nodes() const {
    const Graph& graph = case_.graph();
    const std::vector<size_t> outputs = case_.outputs(job_.outputs);
    std::map<std::string, double> noise;
    for (size_t i = 0; i < nodes_.units.size(); ++i) {
      noise[nodes_.units[i].name] = nodes_.sensitivities[i].noise(outputs);
    }
    std::map<NodeId, size_t> position;
    Json nodes = Json::array();
    for (const NodeId id : graph.topological_order()) {
      const Node& node = graph.node(id);
      Json inputs = Json::array();
      for (const ValueId input : node.inputs) {
        const auto producer = input == kNone ? position.end() : position.find(graph.producer(input));
        if (producer != position.end()) inputs.push_back(producer->second);
      }
      position.emplace(id, nodes.size());
      Json entry = {{"name", node.name}, {"op_type", node.op_type}, {"inputs", std::move(inputs)}};
      if (const auto it = noise.find(node.name); it != noise.end()) entry["error"] = rounded(it->second);
      add_operands(node.name, entry);
      nodes.push_back(std::move(entry));
    }
    return nodes;
  }

  void add_operands(const std::string& node, Json& entry) const {
    std::string precisions;
    Json tensors = Json::array();
    for (const OperandPlan* operand : case_.plan().of_node(node)) {
      if (operand->operand.is_input()) {
        precisions += fmt::format("{}{}", precisions.empty() ? "" : " x ", to_string(operand->granted));
      }
      const auto it = place_.find(std::pair(operand->value, operand->granted));
      if (it != place_.end()) tensors.push_back(it->second);
    }
    entry["precisions"] = precisions.empty() ? "float32" : precisions;
    entry["tensors"] = std::move(tensors);
  }

  DebugCase& case_;
  const DebugAllJob& job_;
  const DebugAllReport& report_;
  const MeasuredUnits& nodes_;
  Json tensors_ = Json::array();
  std::map<std::pair<std::string, QType>, size_t> place_;
};

}  // namespace

nlohmann::ordered_json page_of(DebugCase& subject, const DebugAllJob& job, const DebugAllReport& report,
                               const MeasuredUnits& nodes) {
  return Page(subject, job, report, nodes).run();
}

}  // namespace twofold
