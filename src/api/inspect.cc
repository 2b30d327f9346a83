#include "twofold/inspect.h"

#include "api/tensor_info.h"
#include "dialect/registry.h"
#include "engine/lower.h"
#include "engine/lowered_node.h"
#include "onnx/export.h"
#include "onnx/import.h"
#include "passes/pipeline.h"
#include "passes/split_ec.h"

namespace twofold {

namespace {

std::vector<std::string> tensor_names(const Graph& graph, const std::vector<ValueId>& ids) {
  std::vector<std::string> names;
  for (ValueId id : ids) names.push_back(id == kNone ? "" : graph.value(id).name);
  return names;
}

std::vector<NodeRow> node_rows(const Graph& graph) {
  std::vector<NodeRow> rows;
  for (NodeId id : graph.topological_order()) {
    const Node& node = graph.node(id);
    rows.push_back({node.name, node.domain.empty() ? node.op_type : node.domain + "." + node.op_type,
                    tensor_names(graph, node.inputs), tensor_names(graph, node.outputs), node.origins});
  }
  return rows;
}

std::vector<PassRow> pass_rows(const std::vector<PassReport>& reports) {
  std::vector<PassRow> rows;
  for (const PassReport& report : reports) {
    rows.push_back({std::string(report.name), report.rewrites, report.seconds});
  }
  return rows;
}

std::vector<LoweredRow> lowered_rows(const Graph& lowered, const FloatReasons& reasons) {
  std::vector<LoweredRow> rows;
  for (const LoweredNode& entry : describe_lowered(lowered, reasons)) {
    const Node& node = lowered.node(entry.node);
    rows.push_back(
        {node.name, node.op_type, std::string(to_string(entry.kind)), entry.why, entry.ec_passes, node.origins});
  }
  return rows;
}

uint64_t count_parameters(const Graph& graph) {
  uint64_t count = 0;
  for (ValueId id = 0; id < graph.num_values(); ++id) {
    if (const Tensor* constant = graph.constant(id)) count += static_cast<uint64_t>(constant->size());
  }
  return count;
}

}  // namespace

InspectReport inspect(const std::filesystem::path& model, const InspectOptions& options) {
  Graph graph = import_onnx(model);
  InspectReport report;
  report.model = model.string();
  report.file_bytes = std::filesystem::file_size(model);
  report.parameters = count_parameters(graph);
  report.inputs = input_infos(graph);
  report.outputs = output_infos(graph);
  report.nodes = node_rows(graph);
  report.unsupported = missing_operators(graph);
  if (!report.unsupported.empty()) return report;
  report.passes = pass_rows(run_passes(graph));
  report.simplified = node_rows(graph);
  const Lowering lowering = lower(graph, {.ec_in_two_passes = options.ec_in_two_passes});
  report.lowering = pass_rows(lowering.passes);
  report.lowered = lowered_rows(graph, lowering.reasons);
  return report;
}

void split_model(const std::filesystem::path& model, const std::vector<std::string>& nodes,
                 const std::filesystem::path& output) {
  JobOutputs outputs;
  claim_model(outputs, output);
  Graph graph = import_onnx(model);
  split_ec(graph, nodes);
  export_onnx(graph, output);
}

}  // namespace twofold
