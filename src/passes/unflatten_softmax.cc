#include "passes/unflatten_softmax.h"

#include "passes/pattern.h"
#include "traits/op_names.h"

namespace twofold {

namespace {

// True if `id` holds the shape of x: as Shape(x), or as the constant that it was folded to.
bool is_shape_of(const Graph& graph, const Pattern& pattern, ValueId id, ValueId x) {
  if (const NodeId shape = pattern.producer(id, op::kShape); shape != kNone) {
    const Node& node = graph.node(shape);
    return node.input(0) == x && !node.attributes.has("start") && !node.attributes.has("end");
  }
  return pattern.type(x).is_static() && pattern.type(id).elements == pattern.type(x).shape;
}

bool unflatten_at(Graph& graph, const Pattern& pattern, NodeId reshape) {
  if (!graph.node(reshape).is(op::kReshape) || graph.node(reshape).attributes.get_int("allowzero", 0) != 0)
    return false;
  const ValueId result = graph.node(reshape).input(0);
  NodeId softmax = kNone;
  for (const char* op : {op::kSoftmax, op::kLogSoftmax, op::kHardmax}) {
    if (softmax == kNone) softmax = pattern.producer(result, op);
  }
  if (softmax == kNone || !graph.has_single_use(result)) return false;
  const int64_t axis = graph.node(softmax).attributes.get_int("axis", -1);
  const NodeId flatten = pattern.producer(graph.node(softmax).input(0), op::kFlatten);
  if (flatten == kNone || (axis != -1 && axis != 1)) return false;
  const ValueId x = graph.node(flatten).input(0);
  const int rank = x == kNone ? -1 : pattern.type(x).rank();
  const int64_t split = graph.node(flatten).attributes.get_int("axis", 1);
  if (rank < 1 || (split != rank - 1 && split != -1)) return false;
  if (!is_shape_of(graph, pattern, graph.node(reshape).input(1), x)) return false;

  graph.set_input(softmax, 0, x);
  graph.attributes(softmax).set("axis", int64_t{-1});
  graph.add_origins(softmax, graph.node(reshape).origins);
  const ValueId output = graph.node(reshape).outputs[0];
  graph.remove_node(reshape);
  graph.set_output(softmax, 0, output);
  return true;
}

}  // namespace

int unflatten_softmax(Graph& graph) {
  int rewritten = 0;
  const Pattern pattern(graph);
  for (NodeId id : graph.topological_order()) {
    if (unflatten_at(graph, pattern, id)) ++rewritten;
  }
  return rewritten;
}

}  // namespace twofold
