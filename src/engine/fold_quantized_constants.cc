#include "engine/fold_quantized_constants.h"

#include <algorithm>

#include "engine/fold_constant_nodes.h"
#include "traits/op_names.h"

namespace twofold {

namespace {

// Transpose(DQ(constant)) => DQ(constant'), with the axis of the scales where it is then.
bool transpose_constant(Graph& graph, NodeId id) {
  const Node transpose = graph.node(id);
  const NodeId producer = graph.producer(transpose.input(0));
  if (producer == kNone || !graph.node(producer).is(op::kDequantizeLinear)) return false;
  Node dequantize = graph.node(producer);
  const Tensor* integers = graph.constant(dequantize.input(0));
  const Tensor* scale = graph.constant(dequantize.input(1));
  if (integers == nullptr || scale == nullptr || dequantize.attributes.get_int("block_size", 0) != 0) return false;
  const int rank = integers->rank();
  std::vector<int64_t> perm = transpose.attributes.get_ints("perm", {});
  for (int i = rank - 1; perm.size() < static_cast<size_t>(rank); --i) perm.push_back(i);
  if (scale->rank() == 1 && scale->size() > 1) {
    int64_t axis = dequantize.attributes.get_int("axis", 1);
    if (axis < 0) axis += rank;
    const auto moved = std::ranges::find(perm, axis);
    if (moved == perm.end()) return false;
    dequantize.attributes.set("axis", static_cast<int64_t>(moved - perm.begin()));
  }
  const std::string name = graph.unique_value_name(graph.value(transpose.output(0)).name + "_integers");
  dequantize.inputs[0] = graph.add_constant(name, compute_constant(transpose, {integers}));
  dequantize.outputs = {transpose.output(0)};
  dequantize.name = graph.unique_node_name(transpose.name + "_dequantize");
  graph.remove_node(id);
  graph.add_node(std::move(dequantize));
  return true;
}

}  // namespace

int fold_quantized_constants(Graph& graph) {
  int count = fold_constant_nodes(graph, op::kQuantizeLinear);
  for (NodeId id : graph.topological_order()) {
    if (graph.node(id).is(op::kTranspose) && transpose_constant(graph, id)) ++count;
  }
  return count;
}

}  // namespace twofold
