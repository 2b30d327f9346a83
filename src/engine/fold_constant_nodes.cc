#include "engine/fold_constant_nodes.h"

#include "base/cancellation.h"
#include "base/error.h"
#include "dialect/registry.h"

namespace twofold {

namespace {

// The constants that a node reads; empty where one is none.
std::vector<const Tensor*> constant_inputs(const Graph& graph, const Node& node) {
  std::vector<const Tensor*> inputs;
  for (ValueId input : node.inputs) {
    inputs.push_back(input == kNone ? nullptr : graph.constant(input));
    if (input != kNone && inputs.back() == nullptr) return {};
  }
  return inputs;
}

}  // namespace

Tensor compute_constant(const Node& node, const std::vector<const Tensor*>& inputs) {
  Tensor outputs[1];
  OpCall call(node, inputs, outputs, nullptr);
  try {
    make_kernel({node, inputs, nullptr})->run(call);
  } catch (const Error& error) {
    throw_error(error.code(), "node '{}' ({}): {}", node.name, node.op_type, error.what());
  }
  return std::move(outputs[0]);
}

int fold_constant_nodes(Graph& graph, std::string_view op_type) {
  int count = 0;
  for (NodeId id : graph.topological_order()) {
    if (!graph.node(id).is(op_type)) continue;
    const std::vector<const Tensor*> inputs = constant_inputs(graph, graph.node(id));
    if (inputs.empty()) continue;
    throw_if_cancelled();
    Tensor result = compute_constant(graph.node(id), inputs);
    const ValueId output = graph.node(id).output(0);
    graph.remove_node(id);
    graph.set_constant(output, std::move(result));
    ++count;
  }
  return count;
}

}  // namespace twofold
