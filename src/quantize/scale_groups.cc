#include "quantize/scale_groups.h"

#include <array>
#include <string_view>

namespace twofold {

namespace {

// Operators whose input holds more than their output: the range is the input's. All others that move data give an
// output that holds everything quantization must keep.
bool takes_part_of_input(const Node& node) {
  constexpr std::array<std::string_view, 6> kPartial = {"Slice",          "Split",    "Gather",
                                                        "GatherElements", "GatherND", "Compress"};
  for (std::string_view op : kPartial) {
    if (node.is(op)) return true;
  }
  return false;
}

bool narrows(const Node& node) { return node.is("Relu") || node.is("Clip"); }

}  // namespace

ScaleGroups::ScaleGroups(const Graph& graph, const Plan& plan) {
  parent_.resize(static_cast<size_t>(graph.num_values()));
  for (ValueId id = 0; id < graph.num_values(); ++id) parent_[static_cast<size_t>(id)] = id;
  std::vector<bool> covered(parent_.size(), false);
  for (const OperandPlan& operand : plan.operands()) {
    if (!operand.moves_data || !is_integer(operand.granted) || operand.operand.is_output) continue;
    const Node& node = graph.node(graph.find_node(operand.node));
    const ValueId input = graph.find_value(operand.value);
    if (narrows(node) && !graph.has_single_use(input)) continue;
    for (ValueId output : node.outputs) {
      if (output == kNone) continue;
      join(input, output);
      covered[static_cast<size_t>(takes_part_of_input(node) ? output : input)] = true;
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
