#include "passes/inline_if.h"

#include <map>
#include <utility>

#include "traits/op_names.h"

namespace twofold {

namespace {

// The constant condition, if it is one.
const Tensor* condition_of(const Graph& graph, const Node& node) {
  const Tensor* condition = node.is(op::kIf) ? graph.constant(node.input(0)) : nullptr;
  return condition != nullptr && condition->dtype() == DType::kBool && condition->size() == 1 ? condition : nullptr;
}

// Copies a branch's nodes into the graph around it; what its values are called there.
class Inlining {
 public:
  // Values that the branch captures are the node's inputs behind the condition.
  Inlining(const Graph& branch, const Node& node, Graph& graph) : branch_(branch), graph_(graph) {
    for (size_t i = 0; i < branch.inputs.size(); ++i) outer_[branch.inputs[i]] = node.inputs[i + 1];
  }

  void copy_nodes() {
    for (const NodeId id : branch_.topological_order()) {
      Node copy = branch_.node(id);
      for (ValueId& value : copy.inputs) value = outer(value);
      for (ValueId& value : copy.outputs) value = outer(value);
      graph_.add_node(std::move(copy));
    }
  }

  ValueId outer(ValueId inner) {
    if (inner == kNone) return kNone;
    const auto [it, is_new] = outer_.try_emplace(inner, kNone);
    if (is_new) {
      const Value& value = branch_.value(inner);
      const std::string name = graph_.unique_value_name(value.name);
      it->second = value.constant ? graph_.add_constant(name, *value.constant) : graph_.add_value(name, value.type);
    }
    return it->second;
  }

 private:
  const Graph& branch_;
  Graph& graph_;
  std::map<ValueId, ValueId> outer_;
};

void inline_branch(Graph& graph, NodeId id, const Graph& branch) {
  const Node node = graph.node(id);
  graph.remove_node(id);
  Inlining inlining(branch, node, graph);
  inlining.copy_nodes();
  for (size_t i = 0; i < node.outputs.size(); ++i) {
    if (node.outputs[i] == kNone) continue;
    const ValueId result = inlining.outer(branch.outputs[i].value);
    if (graph.value(result).type.dtype == DType::kUndefined) graph.set_type(result, graph.value(node.outputs[i]).type);
    graph.replace_uses(node.outputs[i], result);
  }
}

}  // namespace

int inline_if(Graph& graph) {
  int inlined = 0;
  for (const NodeId id : graph.topological_order()) {
    const Node& node = graph.node(id);
    const Tensor* condition = condition_of(graph, node);
    if (condition == nullptr) continue;
    const bool taken = condition->data<uint8_t>()[0] != 0;
    const std::shared_ptr<const Graph> branch = node.attributes.get_graph(taken ? "then_branch" : "else_branch");
    // What does not fit is for the kernel to refuse.
    if (branch->inputs.size() + 1 != node.inputs.size() || branch->outputs.size() < node.outputs.size()) continue;
    inline_branch(graph, id, *branch);
    ++inlined;
  }
  return inlined;
}

}  // namespace twofold
