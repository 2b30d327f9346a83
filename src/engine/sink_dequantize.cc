#include "engine/sink_dequantize.h"

#include "engine/float_chain.h"
#include "engine/nearest_resize.h"
#include "traits/op_names.h"
#include "traits/op_traits.h"

namespace twofold {

namespace {

// Pad fills with zeros, which the integer 0 stands for only where it is the zero point.
bool moves(const Node& node, const QuantizedEdge& edge) {
  if (!moves_elements(node)) return false;
  if (!traits_of(node).fills) return true;
  const bool constant = node.attributes.get_string("mode", "constant") == "constant";
  return !constant || (edge.zero_point == 0 && node.input(2) == kNone);
}

bool same_parameters(const QuantizedEdge& a, const QuantizedEdge& b) {
  return a.dtype == b.dtype && a.scale == b.scale && a.zero_point == b.zero_point;
}

// The edges of the inputs that move: all of a Concat, the first of others. Empty where they are not integers alike.
std::vector<QuantizedEdge> moved_edges(const Graph& graph, const Node& node) {
  const size_t count = traits_of(node).data == DataInputs::kAll ? node.inputs.size() : 1;
  std::vector<QuantizedEdge> edges;
  for (size_t i = 0; i < count && i < node.inputs.size(); ++i) {
    const auto edge = dequantized_tensor(graph, node.inputs[i]);
    if (!edge || graph.constant(edge->integers) != nullptr) return {};
    if (!edges.empty() && !same_parameters(edges[0], *edge)) return {};
    edges.push_back(*edge);
  }
  return edges;
}

void sink(Graph& graph, NodeId id, const std::vector<QuantizedEdge>& edges) {
  const Node dequantize = graph.node(graph.producer(edges[0].real));
  for (size_t i = 0; i < edges.size(); ++i) graph.set_input(id, static_cast<int>(i), edges[i].integers);
  for (size_t i = 0; i < graph.node(id).outputs.size(); ++i) {
    const ValueId real = graph.node(id).outputs[i];
    if (real == kNone) continue;
    const std::string name = graph.value(real).name;
    const ValueId integers = graph.add_value(graph.unique_value_name(name + "_integers"), {edges[0].dtype, {}});
    graph.set_output(id, static_cast<int>(i), integers);
    Node behind = dequantize;
    behind.name = graph.unique_node_name(name + "_dequantize");
    behind.origins.clear();
    behind.inputs[0] = integers;
    behind.outputs = {real};
    graph.add_node(std::move(behind));
  }
}

}  // namespace

// The largest element of a window is the largest integer of it, since scales are positive. ONNX has no GlobalMaxPool of
// integers, but Twofold has.
bool moves_elements(const Node& node) {
  if (is_nearest_resize(node) || node.is(op::kGlobalMaxPool)) return true;
  const OpTraits& traits = traits_of(node);
  if (!moves_integers(traits)) return false;
  return traits.effect != Effect::kPicksLargest || node.outputs.size() == 1;
}

int sink_dequantize(Graph& graph) {
  int count = 0;
  for (NodeId id : graph.topological_order()) {
    const std::vector<QuantizedEdge> edges = moved_edges(graph, graph.node(id));
    if (edges.empty() || !moves(graph.node(id), edges[0])) continue;
    sink(graph, id, edges);
    ++count;
  }
  return count;
}

}  // namespace twofold
