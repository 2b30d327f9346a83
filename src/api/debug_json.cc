// The debugger's reports as JSON.
#include "api/report_json.h"
#include "twofold/debug.h"

namespace twofold {

namespace {

using Json = ReportJson;

Json to_json_value(const SensitivityRow& row) {
  Json outputs = Json::object();
  for (const auto& [output, metrics] : row.of_outputs) outputs[output] = numbers_json(metrics);
  Json json = {{"name", row.name},
               {"op_type", row.op_type},
               {"metrics", numbers_json(row.metrics)},
               {"deviations", numbers_json(row.deviations)},
               {"estimated", row.estimated},
               {"outputs", outputs}};
  if (row.bits > 0) {
    json["threshold"] = json_number(row.threshold);
    json["bits"] = row.bits;
  }
  if (row.estimate) json["estimate"] = json_number(*row.estimate);
  if (row.estimate) json["estimate_error"] = json_number(*row.estimate_error);
  return json;
}

Json to_json_value(const ErrorCurve& curve) {
  Json values = Json::array();
  for (const double value : curve.values) values.push_back(json_number(value));
  return {{"name", curve.name}, {"values", std::move(values)}};
}

Json to_json_value(const NumberRow& row) {
  return {{"min", json_number(row.min)},
          {"max", json_number(row.max)},
          {"mean", json_number(row.mean)},
          {"deviation", json_number(row.deviation)}};
}

Json to_json_value(const OperandNumbers& row) {
  return {{"node", row.node},
          {"op_type", row.op_type},
          {"operand", row.operand},
          {"tensor", row.tensor},
          {"is_weight", row.is_weight},
          {"precision", row.precision},
          {"shape", row.shape},
          {"scale", row.scale},
          {"scales", row.scales},
          {"zero_point", row.zero_point},
          {"threshold", json_number(row.threshold)},
          {"range", row.range},
          {"clipped", row.clipped},
          {"before", to_json_value(row.before)},
          {"after", to_json_value(row.after)},
          {"metrics", numbers_json(row.metrics)},
          {"worst_channels", row.worst_channels},
          {"low", json_number(row.low)},
          {"step", json_number(row.step)},
          {"counts_before", row.counts_before},
          {"counts_after", row.counts_after}};
}

Json to_json_value(const ChannelRow& row) {
  return {{"tensor", row.tensor}, {"node", row.node}, {"axis", row.axis}, {"boxes", row.boxes}};
}

Json to_json_value(const SensitivityAnalysisRow& row) {
  return {{"node", row.node},
          {"alone", json_number(row.alone)},
          {"without", json_number(row.without)},
          {"without_up_to", json_number(row.without_up_to)}};
}

Json to_json_value(const GrowthRow& row) {
  Json values = Json::array();
  for (const double value : row.values) values.push_back(json_number(value));
  return {{"counts", row.counts}, {"values", std::move(values)}};
}

Json to_json_value(const DumpRow& row) {
  return {{"tensor", row.tensor},
          {"node", row.node},
          {"op_type", row.op_type},
          {"file", row.file},
          {"equal_share", row.equal_share},
          {"largest_difference", json_number(row.largest_difference)},
          {"largest_steps", row.largest_steps < 0 ? Json(nullptr) : json_number(row.largest_steps)},
          {"leaves", row.leaves}};
}

Json to_json_value(const FindingRow& row) {
  return {{"kind", row.kind},   {"title", row.title},   {"text", row.text},
          {"nodes", row.nodes}, {"remedy", row.remedy}, {"lines", row.lines}};
}

Json to_json_value(const BothInputsRow& row) {
  return {{"node", row.node},
          {"op_type", row.op_type},
          {"mac_share", row.mac_share},
          {"int8", json_number(row.int8)},
          {"first", row.first},
          {"first_at_16", json_number(row.first_at_16)},
          {"second", row.second},
          {"second_at_16", json_number(row.second_at_16)},
          {"both_at_16", json_number(row.both_at_16)},
          {"needs_both", row.needs_both}};
}

Json to_json_value(const GroupRow& row) {
  return {{"name", row.name},
          {"nodes", row.nodes},
          {"decibels", json_number(row.decibels)},
          {"remedy", row.remedy},
          {"repaired_decibels", json_number(row.repaired_decibels)}};
}

Json to_json_value(const RemedyRow& row) {
  return {{"node", row.node},
          {"remedy", row.remedy},
          {"decibels", json_number(row.decibels)},
          {"added_cost", row.added_cost},
          {"chosen", row.chosen}};
}

template <typename Row>
Json list(const std::vector<Row>& rows) {
  return list_json(rows, [](const Row& row) { return to_json_value(row); });
}

}  // namespace

std::string to_json(const SensitivityReport& report) {
  Json json = {{"model", report.model},     {"unit", report.unit},         {"metrics", report.metrics},
               {"rows", list(report.rows)}, {"measured", report.measured}, {"reused", report.reused},
               {"files", report.files},     {"notes", report.notes}};
  if (report.estimate) json["sweeps"] = report.sweeps;
  if (report.estimate) json["rank_agreement"] = report.rank_agreement ? Json(*report.rank_agreement) : Json();
  return report_text(json);
}

std::string to_json(const ErrorCurveReport& report) {
  return report_text({{"model", report.model},
                      {"metric", report.metric},
                      {"nodes", report.nodes},
                      {"curves", list(report.curves)},
                      {"files", report.files}});
}

std::string to_json(const DistributionReport& report) {
  return report_text({{"model", report.model}, {"operands", list(report.operands)}, {"files", report.files}});
}

std::string to_json(const ChannelReport& report) {
  return report_text({{"model", report.model}, {"tensors", list(report.tensors)}, {"files", report.files}});
}

std::string to_json(const SensitivityAnalysisReport& report) {
  return report_text({{"model", report.model},
                      {"metric", report.metric},
                      {"qtype", report.qtype},
                      {"quantized", json_number(report.quantized)},
                      {"rows", list(report.rows)},
                      {"files", report.files},
                      {"notes", report.notes}});
}

std::string to_json(const FindingsReport& report) {
  Json evaluations = Json::object();
  for (const auto& [name, value] : report.evaluations) evaluations[name] = json_number(value);
  return report_text({{"model", report.model},
                      {"good", report.good},
                      {"findings", list(report.findings)},
                      {"lines", report.lines},
                      {"before", numbers_json(report.before)},
                      {"after", numbers_json(report.after)},
                      {"cost", report.cost},
                      {"cost_after", report.cost_after},
                      {"noise", json_number(report.noise)},
                      {"noise_sum", json_number(report.noise_sum)},
                      {"both_inputs", list(report.both_inputs)},
                      {"kinds", list(report.kinds)},
                      {"blocks", list(report.blocks)},
                      {"remedies", list(report.remedies)},
                      {"evaluations", std::move(evaluations)},
                      {"files", report.files}});
}

std::string to_json(const DebugAllReport& report) {
  Json sensitivities = Json::array();
  for (const SensitivityReport& sensitivity : report.sensitivities) {
    sensitivities.push_back({{"unit", sensitivity.unit}, {"rows", list(sensitivity.rows)}});
  }
  return report_text({{"findings", Json::parse(to_json(report.findings))},
                      {"sensitivities", std::move(sensitivities)},
                      {"graph_order", to_json_value(report.graph_order)},
                      {"rank_order", to_json_value(report.rank_order)},
                      {"sensitivity_analysis", Json::parse(to_json(report.analysis))},
                      {"files", report.files}});
}

std::string to_json(const DumpReport& report) {
  const DumpRow* first = report.first_to_leave();
  return report_text({{"model", report.model},
                      {"dumps", report.dumps},
                      {"tensors", list(report.tensors)},
                      {"unknown", report.unknown},
                      {"inside", report.inside},
                      {"first_to_leave", first != nullptr ? Json(first->tensor) : Json(nullptr)}});
}

}  // namespace twofold
