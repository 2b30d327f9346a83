#include "twofold/quantize_operands.h"

#include "base/error.h"
#include "dialect/registry.h"
#include "onnx/export.h"
#include "onnx/import.h"
#include "plan/plan.h"
#include "quantize/apply.h"
#include "quantize/check_plan.h"
#include "quantize/decide.h"

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

}  // namespace twofold
