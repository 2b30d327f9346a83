#include "engine/hoist_tables.h"

#include <algorithm>

#include "dialect/table_node.h"
#include "engine/nearest_resize.h"
#include "traits/op_names.h"

namespace twofold {

namespace {

// Whether the node copies elements of input 0, none of them away, so that its output has more of them.
bool repeats_elements(const Graph& graph, const Node& node) {
  if (node.is(op::kExpand) || node.is(op::kTile)) return true;
  const Tensor* scales = is_nearest_resize(node) ? graph.constant(node.input(2)) : nullptr;
  if (scales == nullptr || scales->dtype() != DType::kFloat32) return false;
  return std::ranges::all_of(scales->data<float>(), [](float scale) { return scale >= 1; });
}

bool hoist(Graph& graph, NodeId id) {
  const ValueId moved = graph.node(id).inputs[0], result = graph.node(id).outputs[0];
  const NodeId mover = graph.producer(moved);
  if (mover == kNone || !graph.has_single_use(moved) || !repeats_elements(graph, graph.node(mover))) return false;
  Node table = graph.node(id);
  table.inputs[0] = graph.node(mover).inputs[0];
  table.outputs[0] = graph.add_value(graph.unique_value_name(graph.value(result).name + "_before"));
  graph.remove_node(id);
  graph.set_input(mover, 0, table.outputs[0]);
  graph.set_output(mover, 0, result);
  hoist(graph, graph.add_node(std::move(table)));  // through the one before too
  return true;
}

}  // namespace

int hoist_tables(Graph& graph) {
  int count = 0;
  for (NodeId id : graph.topological_order()) {
    if (TableNode::is(graph.node(id)) && hoist(graph, id)) ++count;
  }
  return count;
}

}  // namespace twofold
