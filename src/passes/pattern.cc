#include "passes/pattern.h"

#include <algorithm>
#include <cmath>

#include "base/check.h"
#include "traits/op_names.h"

namespace twofold {

std::optional<float> scalar_constant(const Graph& graph, ValueId id) {
  const Tensor* tensor = graph.constant(id);
  if (tensor == nullptr || tensor->dtype() != DType::kFloat32 || tensor->size() != 1) return std::nullopt;
  return tensor->data<float>()[0];
}

bool nearly(float value, double expected) {
  return std::fabs(static_cast<double>(value) - expected) <= 1e-6 * std::fabs(expected);
}

const InferredType& Pattern::type(ValueId id) const {
  static const InferredType unknown;
  return id >= 0 && id < static_cast<ValueId>(types_.size()) ? types_[static_cast<size_t>(id)] : unknown;
}

NodeId Pattern::producer(ValueId id, std::string_view op_type) const {
  const NodeId node = id == kNone ? kNone : graph_.producer(id);
  if (node == kNone || !graph_.node(node).is(op_type) || graph_.node(node).outputs.size() != 1) return kNone;
  return node;
}

std::optional<ScalarOperation> Pattern::scalar_operation(NodeId id, std::string_view op_type) const {
  if (id == kNone || !graph_.node(id).is(op_type) || graph_.node(id).inputs.size() != 2) return std::nullopt;
  const bool commutes = op_type == op::kAdd || op_type == op::kMul;
  for (const int at : {1, 0}) {
    const ValueId constant = graph_.node(id).input(at);
    const ValueId x = graph_.node(id).input(1 - at);
    const std::optional<float> scalar = scalar_constant(graph_, constant);
    if (!scalar || x == kNone || (at == 0 && !commutes)) continue;
    const int rank = graph_.constant(constant)->rank();
    if (rank == 0 || type(x).rank() >= rank) return ScalarOperation{x, *scalar};
  }
  return std::nullopt;
}

ValueId Pattern::undo(ValueId id, std::string_view op_type, double scalar) const {
  const auto operation = scalar_operation(producer(id, op_type), op_type);
  return operation && nearly(operation->scalar, scalar) ? operation->x : kNone;
}

std::optional<Reduction> Pattern::reduction(ValueId id, std::string_view op_type) const {
  const NodeId node = producer(id, op_type);
  if (node == kNone || graph_.node(node).attributes.get_int("keepdims", 1) == 0) return std::nullopt;
  const ValueId x = graph_.node(node).input(0);
  const Tensor* axes = graph_.constant(graph_.node(node).input(1));
  if (x == kNone || axes == nullptr || axes->dtype() != DType::kInt64 || axes->size() != 1) return std::nullopt;
  const int64_t axis = axes->data<int64_t>()[0];
  const int rank = type(x).rank();
  return Reduction{node, x, axis < 0 && rank > 0 ? axis + rank : axis};
}

ValueId Pattern::other_input(NodeId id, ValueId one) const {
  const Node& node = graph_.node(id);
  if (node.inputs.size() != 2 || node.inputs[0] == node.inputs[1]) return kNone;
  if (node.inputs[0] == one) return node.inputs[1];
  return node.inputs[1] == one ? node.inputs[0] : kNone;
}

bool Pattern::is_private(const std::vector<NodeId>& inner, NodeId last) const {
  return std::all_of(inner.begin(), inner.end(), [&](NodeId id) {
    const std::vector<ValueId>& outputs = graph_.node(id).outputs;
    return std::all_of(outputs.begin(), outputs.end(), [&](ValueId output) {
      if (output == kNone) return true;
      const std::vector<NodeId>& users = graph_.consumers(output);
      return !graph_.is_output(output) && std::all_of(users.begin(), users.end(), [&](NodeId user) {
        return user == last || std::find(inner.begin(), inner.end(), user) != inner.end();
      });
    });
  });
}

void Pattern::fuse(const std::vector<NodeId>& inner, NodeId last, std::string op_type,
                   const std::vector<ValueId>& inputs, Attributes attributes) {
  TWOFOLD_CHECK(is_private(inner, last));
  for (int i = 0; i < static_cast<int>(inputs.size()); ++i) graph_.set_input(last, i, inputs[static_cast<size_t>(i)]);
  graph_.truncate_inputs(last, static_cast<int>(inputs.size()));
  graph_.set_op_type(last, std::move(op_type));
  graph_.attributes(last) = std::move(attributes);
  for (NodeId id : inner) {
    graph_.add_origins(last, graph_.node(id).origins);
    graph_.remove_node(id);
  }
}

int fuse_everywhere(Graph& graph, bool (*fuse_at)(Graph& graph, Pattern& pattern, NodeId id)) {
  int fused = 0;
  Pattern pattern(graph);
  for (NodeId id : graph.topological_order()) {
    if (graph.has_node(id) && fuse_at(graph, pattern, id)) ++fused;
  }
  return fused;
}

void replace_constant(Graph& graph, NodeId id, int input, Tensor tensor, std::string_view name) {
  const ValueId old = graph.node(id).input(input);
  if (old != kNone && graph.constant(old) != nullptr && graph.has_single_use(old)) {
    graph.set_constant(old, std::move(tensor));
    return;
  }
  const std::string base = old == kNone ? std::string(name) : graph.value(old).name;
  graph.set_input(id, input, graph.add_constant(graph.unique_value_name(base), std::move(tensor)));
}

}  // namespace twofold
