#include <set>

#include "base/error.h"
#include "graph/graph.h"

namespace twofold {

namespace {

void verify_values_of(const Graph& graph, const Node& node) {
  for (ValueId input : node.inputs) {
    if (input == kNone) continue;
    if (graph.producer(input) == kNone && !graph.is_input(input) && graph.constant(input) == nullptr) {
      throw_error(ErrorCode::kInvalidModel, "node '{}' reads tensor '{}', which nothing computes", node.name,
                  graph.value(input).name);
    }
  }
  for (ValueId output : node.outputs) {
    if (output != kNone && (graph.is_input(output) || graph.constant(output) != nullptr)) {
      throw_error(ErrorCode::kInvalidModel, "node '{}' writes '{}', which is an input or a constant", node.name,
                  graph.value(output).name);
    }
  }
}

void verify_bodies_of(const Node& node) {
  for (const auto& [name, attribute] : node.attributes) {
    const auto* body = std::get_if<std::shared_ptr<const Graph>>(&attribute);
    if (body == nullptr) continue;
    const auto captures = static_cast<size_t>((*body)->num_captures);
    if (captures > (*body)->inputs.size() || captures > node.inputs.size()) {
      throw_error(ErrorCode::kInvalidModel, "body '{}' of node '{}' captures more tensors than the node passes", name,
                  node.name);
    }
    verify(**body);
  }
}

void verify_inputs(const Graph& graph) {
  std::set<ValueId> seen;
  for (ValueId id : graph.inputs) {
    if (id < 0 || id >= graph.num_values()) {
      throw_error(ErrorCode::kInvalidModel, "the graph has an input that is no tensor");
    }
    if (!seen.insert(id).second) {
      throw_error(ErrorCode::kInvalidModel, "tensor '{}' is an input twice", graph.value(id).name);
    }
  }
}

}  // namespace

void verify(const Graph& graph) {
  verify_inputs(graph);
  std::set<std::string> output_names;
  for (NodeId id : graph.topological_order()) {
    verify_values_of(graph, graph.node(id));
    verify_bodies_of(graph.node(id));
  }
  for (const GraphOutput& output : graph.outputs) {
    if (!output_names.insert(output.name).second) {
      throw_error(ErrorCode::kInvalidModel, "two outputs are named '{}'", output.name);
    }
    const ValueId id = output.value;
    if (id < 0 || id >= graph.num_values() ||
        (graph.producer(id) == kNone && !graph.is_input(id) && graph.constant(id) == nullptr)) {
      throw_error(ErrorCode::kInvalidModel, "nothing computes output '{}'", output.name);
    }
  }
}

}  // namespace twofold
