#include "engine/lower.h"

#include "engine/float_chain.h"
#include "ops/op.h"
#include "passes/remove_dead_nodes.h"

namespace twofold {

int fold_dequantized_constants(Graph& graph) {
  int count = 0;
  for (NodeId id : graph.topological_order()) {
    const Node& node = graph.node(id);
    if (!node.is("DequantizeLinear")) continue;
    std::vector<const Tensor*> inputs;
    for (ValueId input : node.inputs) inputs.push_back(graph.constant(input));
    if (inputs.size() < 2 || inputs[0] == nullptr || inputs[1] == nullptr) continue;
    if (node.input(2) != kNone && inputs[2] == nullptr) continue;
    Tensor outputs[1];
    OpCall call(node, inputs, outputs, nullptr);
    try {
      make_kernel({node, inputs, nullptr})->run(call);
    } catch (const Error& error) {
      throw_error(error.code(), "node '{}' ({}): {}", node.name, node.op_type, error.what());
    }
    const ValueId result = node.output(0);
    graph.remove_node(id);
    graph.set_constant(result, std::move(outputs[0]));
    ++count;
  }
  return count;
}

FloatReasons lower(Graph& graph, const std::set<std::string>& watched) {
  merge_ec_terms(graph);
  sink_dequantize(graph);
  std::vector<bool> is_watched(static_cast<size_t>(graph.num_values()), false);
  for (const std::string& name : watched) {
    if (const ValueId id = graph.find_value(name); id != kNone) is_watched[static_cast<size_t>(id)] = true;
  }
  const ChainFinder chains(graph, std::move(is_watched));
  FloatReasons reasons;
  lower_gemms(graph, chains, reasons);
  lower_elementwise(graph, chains);
  remove_dead_nodes(graph);  // a DequantizeLinear that nothing reads any more would count as a use
  fold_clamps(graph);
  fold_dequantized_constants(graph);
  graph.compact();
  return reasons;
}

}  // namespace twofold
