#include "quantize/mover_groups.h"

#include <algorithm>

#include "traits/op_traits.h"

namespace twofold {

namespace {

class Finder {
 public:
  Finder(const Graph& graph, const Plan& plan, const ScaleGroups& groups)
      : graph_(graph), plan_(plan), groups_(groups) {}

  std::map<ValueId, MoverGroup> run() {
    for (const size_t position : groups_.joining()) {
      const OperandPlan& operand = plan_.operands()[position];
      moved_[graph_.find_node(operand.node)].push_back(position);
    }
    const std::vector<NodeId> order = graph_.topological_order();
    for (const NodeId id : order) add_mover(id);
    for (ValueId id = 0; id < graph_.num_values(); ++id) {
      if (MoverGroup* group = group_of(id)) group->values[id];
    }
    for (size_t i = 0; i < plan_.operands().size(); ++i) add_operand(i);
    for (const NodeId id : order) add_float_reads(graph_.node(id));
    add_float_outputs();
    return std::move(result_);
  }

 private:
  MoverGroup* group_of(ValueId value) {
    const auto it = result_.find(groups_.representative(value));
    return it == result_.end() ? nullptr : &it->second;
  }

  void add_mover(NodeId id) {
    const auto moved = moved_.find(id);
    if (moved == moved_.end()) return;
    const OperandPlan& first = plan_.operands()[moved->second.front()];
    Mover mover{id, {}, {}, first.granted};
    for (const size_t position : moved->second) {
      mover.inputs.emplace_back(id, plan_.operands()[position].operand.index);
    }
    const Node& node = graph_.node(id);
    for (int i = 0; i < num_data_outputs(node); ++i) {
      if (node.output(i) != kNone) mover.outputs.push_back(node.output(i));
    }
    result_[groups_.representative(graph_.find_value(first.value))].movers.push_back(std::move(mover));
  }

  void add_operand(size_t position) {
    const OperandPlan& operand = plan_.operands()[position];
    const ValueId value = graph_.find_value(operand.value);
    MoverGroup* group = group_of(value);
    if (group == nullptr || !is_integer(operand.granted)) return;
    group->asymmetric &= operand.activation.asymmetric == std::vector<bool>{true};
    const NodeId node = graph_.find_node(operand.node);
    const auto moved = moved_.find(node);
    if (moved != moved_.end() && std::ranges::find(moved->second, position) != moved->second.end()) {
      group->values[value].movers.emplace_back(node, operand.operand.index);
    } else {
      group->values[value].direct.push_back(position);
    }
  }

  bool is_integer_operand(const Node& node, OperandRef operand) const {
    const OperandPlan* planned = plan_.find(node.name, operand);
    return planned != nullptr && is_integer(planned->granted);
  }

  void add_float_reads(const Node& node) {
    if (traits_of(node).effect == Effect::kReadsShape) return;
    for (int i = 0; i < static_cast<int>(node.inputs.size()); ++i) {
      MoverGroup* group = node.input(i) == kNone ? nullptr : group_of(node.input(i));
      if (group != nullptr && !is_integer_operand(node, OperandRef::input(i)))
        group->values[node.input(i)].as_float = true;
    }
  }

  void add_float_outputs() {
    for (const auto& [name, value] : graph_.outputs) {
      MoverGroup* group = value == kNone ? nullptr : group_of(value);
      const NodeId producer = group == nullptr ? kNone : graph_.producer(value);
      if (producer == kNone) continue;
      const Node& node = graph_.node(producer);
      const auto index = static_cast<int>(std::ranges::find(node.outputs, value) - node.outputs.begin());
      if (!is_integer_operand(node, OperandRef::output(index))) group->values[value].as_float = true;
    }
  }

  const Graph& graph_;
  const Plan& plan_;
  const ScaleGroups& groups_;
  std::map<NodeId, std::vector<size_t>> moved_;  // operands that move, by position in the plan
  std::map<ValueId, MoverGroup> result_;
};

}  // namespace

std::map<ValueId, MoverGroup> mover_groups(const Graph& graph, const Plan& plan, const ScaleGroups& groups) {
  return Finder(graph, plan, groups).run();
}

}  // namespace twofold
