#include "api/float_model.h"

#include <algorithm>
#include <utility>

#include "base/error.h"
#include "base/nearest_names.h"
#include "dialect/registry.h"
#include "onnx/import.h"
#include "passes/remove_dead_nodes.h"
#include "traits/op_names.h"

namespace twofold {

NodeId quantizing_node(const Graph& graph) {
  for (NodeId id : graph.topological_order()) {
    if (graph.node(id).is(op::kQuantizeLinear) || graph.node(id).is(op::kDequantizeLinear)) return id;
  }
  return kNone;
}

void end_at(const std::vector<std::string>& output_nodes, Graph& graph) {
  std::vector<GraphOutput> outputs;
  const auto add = [&outputs](const std::string& name, ValueId value) {
    if (value == kNone || std::ranges::find(outputs, value, &GraphOutput::value) != outputs.end()) return;
    outputs.push_back({name, value});
  };
  for (const std::string& name : output_nodes) {
    const NodeId node = graph.find_node(name);
    const ValueId value = node == kNone ? graph.find_value(name) : kNone;
    if (node == kNone && value == kNone) {
      std::vector<std::string> known = node_names(graph);
      for (const GraphOutput& output : graph.outputs) known.push_back(output.name);
      throw_error(ErrorCode::kNotFound, "output_nodes: the model has no node or tensor '{}'; the nearest names are {}",
                  name, quoted_list(nearest_names(name, known, 3)));
    }
    add(name, value);
    for (const ValueId output : node == kNone ? std::vector<ValueId>() : graph.node(node).outputs) {
      add(output == kNone ? "" : graph.value(output).name, output);
    }
  }
  const bool is_there = std::ranges::equal(outputs, graph.outputs, {}, &GraphOutput::value, &GraphOutput::value);
  if (outputs.empty() || is_there) return;
  graph.outputs = std::move(outputs);
  remove_dead_nodes(graph);
}

Graph import_float_model(const std::filesystem::path& path, const std::vector<std::string>& output_nodes) {
  Graph graph = import_onnx(path);
  end_at(output_nodes, graph);
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
