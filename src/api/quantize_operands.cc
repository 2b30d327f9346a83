#include "twofold/quantize_operands.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "base/error.h"
#include "dialect/registry.h"
#include "onnx/export.h"
#include "onnx/import.h"
#include "passes/pipeline.h"
#include "plan/plan_json.h"
#include "plan/resolve.h"
#include "quantize/apply.h"
#include "quantize/check_plan.h"
#include "quantize/decide.h"
#include "traits/op_names.h"

namespace twofold {

namespace {

OperandPlan planned(const Graph& graph, const OperandIntegers& row) {
  const auto fail = [&row](std::string_view what) {
    throw_error(ErrorCode::kInvalidArgument, "node '{}' {}: {}", row.node, row.operand, what);
  };
  const std::optional<OperandRef> operand = parse_operand(row.operand);
  if (!operand) fail("it is no operand; write input0, output0 or the like");
  const std::optional<QType> qtype = parse_qtype(row.precision);
  if (!qtype || !is_integer(*qtype)) fail("its precision '" + row.precision + "' is none of int8, int16 and ec");
  if (row.scale.empty()) fail("it has no scale");
  if (!row.zero_point.empty() && row.zero_point.size() != row.scale.size()) fail("scales and zero points do not pair");
  if (row.axis < 0 && row.scale.size() != 1) fail("it has several scales, and no axis");
  const NodeId id = graph.find_node(row.node);
  if (id == kNone) fail("the model has no such node");
  const Node& node = graph.node(id);
  const ValueId value = operand->is_input() ? node.input(operand->index) : node.output(operand->index);
  if (value == kNone) fail("the node has no such operand");
  OperandPlan plan{.node = row.node, .op_type = node.op_type, .operand = *operand, .value = graph.value(value).name};
  plan.asked = plan.granted = *qtype;
  plan.params = QParams{*qtype, row.axis, row.scale, row.zero_point};
  return plan;
}

// Those of an Identity's output at everybody who reads it.
std::vector<OperandPlan> without_identities(const Graph& graph, std::vector<OperandPlan> operands) {
  std::vector<OperandPlan> result;
  for (OperandPlan& operand : operands) {
    const Node& node = graph.node(graph.find_node(operand.node));
    if (!node.is(op::kIdentity) || operand.operand.is_input()) {
      result.push_back(std::move(operand));
      continue;
    }
    for (const NodeId id : graph.consumers(node.outputs[0])) {
      const Node& reader = graph.node(id);
      for (int i = 0; i < static_cast<int>(reader.inputs.size()); ++i) {
        if (reader.input(i) != node.outputs[0]) continue;
        result.push_back(operand);
        result.back().node = reader.name;
        result.back().operand = OperandRef::input(i);
      }
    }
  }
  return result;
}

// The plan that asks for just these, as far as the graph has their nodes.
Plan planned_as(const Graph& graph, const std::vector<OperandPlan>& operands) {
  QuantConfig config;
  config.model.all_node_type = QType::kFloat32;
  std::vector<std::string> gone;
  for (const OperandPlan& operand : operands) {
    if (graph.find_node(operand.node) == kNone) {
      gone.push_back(fmt::format("'{}' {}", operand.node, to_string(operand.operand)));
    } else {
      config.nodes[operand.node].operands[operand.operand] = operand.granted;
    }
  }
  Plan plan = resolve(graph, config, load_target("cpu"));
  for (const OperandPlan& given : operands) {
    OperandPlan* operand = plan.find(given.node, given.operand);
    if (operand == nullptr) continue;
    operand->params = given.params;
    operand->threshold = *std::ranges::max_element(given.params->scale) * static_cast<float>(qmax(given.granted));
    operand->method = "given";
  }
  if (!gone.empty()) {
    plan.notes.push_back(fmt::format("simplification leaves no node for {}", fmt::join(gone, ", ")));
  }
  return plan;
}

}  // namespace

std::string quantize_operands(std::span<const std::byte> model, const std::vector<OperandIntegers>& operands,
                              const std::string& label) {
  Graph graph = import_onnx_bytes(model, label, {});
  check_operators(graph);
  Plan plan;
  for (const OperandIntegers& row : operands) plan.add(planned(graph, row));
  check_plan(plan, graph);
  WeightCache weights;
  apply_quantization(graph, decided_operands(graph, plan), weights);
  return export_onnx_bytes(graph);
}

std::string plan_of_operands(std::span<const std::byte> model, const std::vector<OperandIntegers>& operands,
                             const std::string& label) {
  Graph graph = import_onnx_bytes(model, label, {});
  check_operators(graph);
  std::vector<OperandPlan> rows;
  for (const OperandIntegers& row : operands) rows.push_back(planned(graph, row));
  rows = without_identities(graph, std::move(rows));
  run_passes(graph);
  return plan_to_json(planned_as(graph, rows));
}

}  // namespace twofold
