#include "quantize/scale_groups.h"

#include "traits/op_traits.h"

namespace twofold {

namespace {

// Whether integers at the scale of a clamp's input would be too coarse for its output.
bool narrows(const Node& clamp, const ValueBounds& bounds) {
  const auto input = bounds.find(clamp.input(0)), output = bounds.find(clamp.output(0));
  return input != bounds.end() && output != bounds.end() &&
         extent(input->second, false) > kSharedScaleRatio * extent(output->second, false);
}

bool joins(const Graph& graph, const OperandPlan& operand, const ValueBounds& bounds) {
  if (!operand.moves_data || !is_integer(operand.granted) || operand.operand.is_output) return false;
  const Node& node = graph.node(graph.find_node(operand.node));
  const ValueId input = graph.find_value(operand.value);
  if (graph.constant(input) != nullptr) return false;
  return traits_of(node).effect != Effect::kClamps || graph.has_single_use(input) || narrows(node, bounds);
}

}  // namespace

ScaleGroups::ScaleGroups(const Graph& graph, const Plan& plan, const ValueBounds& bounds) {
  parent_.resize(static_cast<size_t>(graph.num_values()));
  for (ValueId id = 0; id < graph.num_values(); ++id) parent_[static_cast<size_t>(id)] = id;
  std::vector<bool> covered(parent_.size(), false);
  for (size_t i = 0; i < plan.operands().size(); ++i) {
    const OperandPlan& operand = plan.operands()[i];
    if (!joins(graph, operand, bounds)) continue;
    joining_.push_back(i);
    const Node& node = graph.node(graph.find_node(operand.node));
    const ValueId input = graph.find_value(operand.value);
    for (int k = 0; k < num_data_outputs(node); ++k) {
      const ValueId output = node.output(k);
      if (output == kNone) continue;
      join(input, output);
      // Where an operator takes a part, its input holds more than each of its outputs; else they hold all that
      // quantization must keep.
      covered[static_cast<size_t>(traits_of(node).effect == Effect::kTakesPart ? output : input)] = true;
    }
  }
  observed_.resize(parent_.size());
  for (ValueId id = 0; id < graph.num_values(); ++id) {
    if (!covered[static_cast<size_t>(id)]) observed_[static_cast<size_t>(representative(id))].push_back(id);
  }
}

ValueId ScaleGroups::representative(ValueId id) const {
  while (parent_[static_cast<size_t>(id)] != id) id = parent_[static_cast<size_t>(id)];
  return id;
}

void ScaleGroups::join(ValueId a, ValueId b) { parent_[static_cast<size_t>(representative(a))] = representative(b); }

}  // namespace twofold
