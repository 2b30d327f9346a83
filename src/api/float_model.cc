#include "api/float_model.h"

#include "base/error.h"
#include "dialect/registry.h"
#include "onnx/import.h"
#include "traits/op_names.h"

namespace twofold {

NodeId quantizing_node(const Graph& graph) {
  for (NodeId id : graph.topological_order()) {
    if (graph.node(id).is(op::kQuantizeLinear) || graph.node(id).is(op::kDequantizeLinear)) return id;
  }
  return kNone;
}

Graph import_float_model(const std::filesystem::path& path) {
  Graph graph = import_onnx(path);
  check_operators(graph);
  if (const NodeId id = quantizing_node(graph); id != kNone) {
    throw_error(ErrorCode::kInvalidArgument,
                "the model is quantized already (node '{}' is a {}); quantize the float one", graph.node(id).name,
                graph.node(id).op_type);
  }
  return graph;
}

std::vector<std::string> node_names(const Graph& graph) {
  std::vector<std::string> names;
  for (NodeId id : graph.topological_order()) names.push_back(graph.node(id).name);
  return names;
}

}  // namespace twofold
