// The reports as JSON.
#include "api/report_json.h"
#include "twofold/bench.h"
#include "twofold/calibrate_costs.h"
#include "twofold/inspect.h"
#include "twofold/quantize.h"
#include "twofold/run.h"
#include "twofold/targets.h"
#include "twofold/verify.h"

namespace twofold {

namespace {

using Json = ReportJson;

Json to_json_value(const OperandRow& row) {
  return {{"node", row.node},
          {"op_type", row.op_type},
          {"operand", row.operand},
          {"tensor", row.tensor},
          {"asked", row.asked},
          {"granted", row.granted},
          {"decided_by", row.decided_by},
          {"reason", row.reason},
          {"method", row.method},
          {"threshold", json_number(row.threshold)}};
}

Json to_json_value(const TensorRow& row) {
  return {{"tensor", row.tensor},
          {"node", row.node},
          {"op_type", row.op_type},
          {"metrics", numbers_json(row.metrics)},
          {"equal_share", row.equal_share},
          {"largest_steps", row.largest_steps < 0 ? Json(nullptr) : json_number(row.largest_steps)}};
}

Json to_json_value(const InputRangeRow& row) { return {{"input", row.input}, {"min", row.min}, {"max", row.max}}; }

Json to_json_value(const StageRow& row) {
  return {{"stage", row.stage}, {"seconds", row.seconds}, {"peak_memory_bytes", row.peak_memory_bytes}};
}

Json to_json_value(const TensorInfo& info) {
  return {{"name", info.name},
          {"dtype", to_string(info.dtype)},
          {"shape", info.known_rank ? Json(info.shape) : Json(nullptr)}};
}

Json to_json_value(const NodeRow& row) {
  return {{"name", row.name},
          {"op_type", row.op_type},
          {"inputs", row.inputs},
          {"outputs", row.outputs},
          {"origins", row.origins}};
}

Json to_json_value(const LoweredRow& row) {
  return {{"name", row.name}, {"op_type", row.op_type},     {"kind", row.kind},
          {"why", row.why},   {"ec_passes", row.ec_passes}, {"origins", row.origins}};
}

Json to_json_value(const NodeTime& row) {
  return {{"name", row.name},
          {"op_type", row.op_type},
          {"kind", row.kind},
          {"ec_passes", row.ec_passes},
          {"seconds", row.seconds}};
}

Json to_json_value(const PassRow& row) {
  return {{"pass", row.pass}, {"rewrites", row.rewrites}, {"seconds", row.seconds}};
}

Json to_json_value(const CombinationRow& row) {
  return {{"inputs", row.inputs}, {"outputs", row.outputs}, {"cost", row.cost}};
}

Json to_json_value(const OperatorRow& row);
Json to_json_value(const CostLayer& layer) {
  return {{"name", layer.name}, {"input", layer.input}, {"macs", layer.macs}};
}

Json to_json_value(const CostRow& row) {
  return {{"a", row.a}, {"b", row.b}, {"picoseconds", row.picoseconds}, {"cost", row.cost}};
}

Json to_json_value(const TargetReport& report);

template <typename Row>
Json list(const std::vector<Row>& rows) {
  return list_json(rows, [](const Row& row) { return to_json_value(row); });
}

Json to_json_value(const OperatorRow& row) {
  return {{"ops", row.ops},
          {"note", row.note},
          {"moves_data", row.moves_data},
          {"quantized_by_default", row.quantized_by_default},
          {"combinations", list(row.combinations)}};
}

// Everything but its operators.
Json to_json_value(const TargetReport& report) {
  Json compiler = nullptr;
  if (report.compiler) {
    compiler = {{"name", report.compiler->name},
                {"min_version", report.compiler->min_version},
                {"reason", report.compiler->reason}};
  }
  return {{"name", report.name},          {"description", report.description}, {"compiler", compiler},
          {"fallback", report.fallback},  {"asymmetric", report.asymmetric},   {"shared_scales", report.shared_scales},
          {"epilogues", report.epilogues}};
}

}  // namespace

std::string to_json(const QuantizeReport& report) {
  return report_text({{"model", report.model},
                      {"output", report.output},
                      {"target", report.target},
                      {"operand_counts", report.operand_counts},
                      {"file_bytes", report.file_bytes},
                      {"notes", report.notes},
                      {"inputs", list(report.inputs)},
                      {"outputs", list(report.outputs)},
                      {"stages", list(report.stages)},
                      {"operands", list(report.operands)},
                      {"tensors", list(report.tensors)}});
}

std::string to_json(const VerifyReport& report) {
  const TensorRow* first = report.first_difference();
  return report_text({{"reference", report.reference},
                      {"other", report.other},
                      {"outputs", list(report.outputs)},
                      {"tensors", list(report.tensors)},
                      {"first_difference", first != nullptr ? Json(first->tensor) : Json(nullptr)},
                      {"notes", report.notes}});
}

std::string to_json(const RunReport& report) {
  return report_text({{"model", report.model},
                      {"folder", report.folder},
                      {"samples", report.samples},
                      {"seconds", report.seconds},
                      {"outputs", list(report.outputs)},
                      {"notes", report.notes}});
}

std::string to_json(const InspectReport& report) {
  return report_text({{"model", report.model},
                      {"file_bytes", report.file_bytes},
                      {"parameters", report.parameters},
                      {"inputs", list(report.inputs)},
                      {"outputs", list(report.outputs)},
                      {"unsupported", report.unsupported},
                      {"passes", list(report.passes)},
                      {"nodes", list(report.nodes)},
                      {"simplified", list(report.simplified)},
                      {"lowering", list(report.lowering)},
                      {"lowered", list(report.lowered)}});
}

std::string to_json(const TargetReport& report) {
  Json json = to_json_value(report);
  json["operators"] = list(report.operators);
  return report_text(json);
}

std::string to_json(const std::vector<TargetReport>& reports) { return report_text({{"targets", list(reports)}}); }

std::string to_json(const BenchReport& report) {
  return report_text({{"model", report.model},
                      {"threads", report.threads},
                      {"load_seconds", report.load_seconds},
                      {"first_seconds", report.first_seconds},
                      {"best_seconds", report.best_seconds},
                      {"median_seconds", report.median_seconds},
                      {"runs", report.runs},
                      {"activation_bytes", report.activation_bytes},
                      {"packed_bytes", report.packed_bytes},
                      {"nodes", list(report.nodes)}});
}

std::string to_json(const CostReport& report) {
  return report_text({{"target", report.target},
                      {"threads", report.threads},
                      {"layers", list(report.layers)},
                      {"costs", list(report.rows)},
                      {"combinations", list(report.combinations)}});
}

}  // namespace twofold
