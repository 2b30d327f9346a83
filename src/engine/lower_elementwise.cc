#include "engine/lower_elementwise.h"

#include "base/cancellation.h"
#include "dialect/elementwise_node.h"
#include "engine/all_integers.h"
#include "traits/op_names.h"

namespace twofold {

namespace {

// Scales between which (q * s) / s rounds back to q for every 16-bit q: no product overflows or is denormal.
constexpr float kLeastExactScale = 1e-30F, kLargestExactScale = 1e30F;

// Takes the chain out of the graph and puts tables, or one Elementwise node, in its place.
void replace(Graph& graph, const QuantizedEdge& edge, FloatChain& chain, NodeId first) {
  Node node;
  node.name = graph.node(first).name;
  take_outputs(graph, chain, node);  // and the origins of the nodes in it
  const StoredForm form = stored_form(edge);
  if (chain.operands.empty()) {
    const std::vector<Tensor> tables = run_elementwise(chain.program, form, {all_integers(form.dtype)});
    for (size_t i = 0; i < tables.size(); ++i) {
      Node one = table_node(graph, node.name, edge.integers, tables[i], node.outputs[i]);
      one.origins = node.origins;
      graph.add_node(std::move(one));
    }
    return;
  }
  ElementwiseNode{edge.integers, chain.operands, form, chain.program}.write(node);
  graph.add_node(std::move(node));
}

// A QuantizeLinear directly behind a DequantizeLinear.
bool lower_requantization(Graph& graph, NodeId id) {
  const auto to = quantized_tensor(graph, id);
  if (!to) return false;
  const auto from = dequantized_tensor(graph, to->real);
  if (!from || graph.constant(from->integers) != nullptr) return false;
  const bool same = from->dtype == to->dtype && from->scale == to->scale && from->zero_point == to->zero_point;
  if (same && from->scale[0] > kLeastExactScale && from->scale[0] < kLargestExactScale &&
      !graph.is_output(to->integers)) {
    graph.remove_node(id);
    graph.replace_uses(to->integers, from->integers);
    return true;
  }
  FloatChain chain;
  chain.quantizers = {id};
  replace(graph, *from, chain, id);
  return true;
}

bool lower_chain(Graph& graph, const ChainFinder& chains, NodeId id) {
  const Node& node = graph.node(id);
  for (ValueId input : node.inputs) {
    const auto edge = input == kNone ? std::nullopt : dequantized_tensor(graph, input);
    if (!edge || graph.constant(edge->integers) != nullptr) continue;
    std::optional<FloatChain> chain = chains.from(id, input);
    if (!chain || chain->quantizers.empty()) continue;
    // A table gives integers only, and a function of one integer is cheaper as a table.
    if (chain->needs_float && chain->operands.empty()) continue;
    replace(graph, *edge, *chain, id);
    return true;
  }
  return false;
}

}  // namespace

int lower_elementwise(Graph& graph, const ChainFinder& chains) {
  int count = 0;
  for (NodeId id : graph.topological_order()) {
    if (!graph.has_node(id)) continue;
    throw_if_cancelled();
    if (graph.node(id).is(op::kQuantizeLinear) ? lower_requantization(graph, id) : lower_chain(graph, chains, id))
      ++count;
  }
  return count;
}

}  // namespace twofold
