#include "quantize/scale_groups.h"

#include "traits/op_traits.h"

namespace twofold {

ScaleGroups::ScaleGroups(const Graph& graph, const Plan& plan) {
  parent_.resize(static_cast<size_t>(graph.num_values()));
  for (ValueId id = 0; id < graph.num_values(); ++id) parent_[static_cast<size_t>(id)] = id;
  std::vector<bool> covered(parent_.size(), false);
  for (const OperandPlan& operand : plan.operands()) {
    if (!operand.moves_data || !is_integer(operand.granted) || operand.operand.is_output) continue;
    const Node& node = graph.node(graph.find_node(operand.node));
    const ValueId input = graph.find_value(operand.value);
    const Effect effect = traits_of(node).effect;
    if (effect == Effect::kClamps && !graph.has_single_use(input)) continue;
    for (int i = 0; i < num_data_outputs(node); ++i) {
      const ValueId output = node.output(i);
      if (output == kNone) continue;
      join(input, output);
      // Where an operator takes a part, its input holds more than each of its outputs; else they hold all that
      // quantization must keep.
      covered[static_cast<size_t>(effect == Effect::kTakesPart ? output : input)] = true;
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
