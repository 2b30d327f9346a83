#include "plan/plan_notes.h"

#include <algorithm>
#include <map>
#include <set>
#include <string>

#include "base/error.h"
#include "infer/element_types.h"
#include "plan/operands.h"
#include "traits/gemm_type.h"
#include "traits/op_traits.h"

namespace twofold {

namespace {

constexpr int kNamesInNotes = 5;

// Activations have one scale per tensor: a sum over channels cannot carry a scale per channel.
void refuse_per_channel(Plan& plan) {
  const bool asked = std::any_of(plan.operands().begin(), plan.operands().end(), [](const OperandPlan& operand) {
    const std::vector<bool>& per_channel = operand.activation.per_channel;
    return std::find(per_channel.begin(), per_channel.end(), true) != per_channel.end();
  });
  if (asked)
    plan.unmet.emplace_back("activation.per_channel: activations get one scale per tensor (weights are per channel)");
}

}  // namespace

void PlanNotes::add_to(Plan& plan) const {
  note_defaults(plan);
  note_qtypes(plan);
  note_other_floats(plan);
  refuse_per_channel(plan);
}

// Says which operators stay float although every node was asked to be an integer.
void PlanNotes::note_defaults(Plan& plan) const {
  std::map<std::string, int> count, fused, parts;
  for (const OperandPlan& operand : plan.operands()) {
    const bool stays =
        operand.decided_by == DecidedBy::kDefault && operand.operand.is_input() && !is_integer(operand.granted);
    if (!stays) continue;
    const auto node = static_cast<size_t>(graph_.find_node(operand.node));
    if (!target_.quantizes_by_default(operand.op_type)) {
      ++count[operand.op_type];
    } else if (is_epilogue_[node]) {
      ++fused[operand.op_type];
    } else if (in_float_function_[node]) {
      ++parts[operand.op_type];
    }
  }
  if (!is_integer(config_.model.all_node_type.value_or(QType::kInt8))) return;
  const auto note = [&plan](const char* what, const std::map<std::string, int>& counts) {
    std::string list;
    for (const auto& [op_type, n] : counts) list += fmt::format("{}{} ({})", list.empty() ? "" : ", ", op_type, n);
    if (!list.empty()) plan.notes.push_back(what + list);
  };
  note("operands that stay float32 unless an op, subgraph or node config asks for them: ", count);
  note("operands that stay float32 as parts of functions with such operators, unless a config asks for them: ", parts);
  note("operands computed on the accumulator in front of them, before it is quantized: ", fused);
}

// Names operators that would be quantized if they were float32.
void PlanNotes::note_other_floats(Plan& plan) const {
  const std::vector<DType> types = infer_element_types(graph_, Declarations::kAll);
  std::string list;
  int found = 0;
  for (const NodeId id : graph_.topological_order()) {
    const Node& node = graph_.node(id);
    if (!target_.quantizes_by_default(node.op_type)) continue;
    for (const int input : data_inputs(node)) {
      const DType type = types[static_cast<size_t>(node.input(input))];
      if (!is_float(type) || type == DType::kFloat32) continue;
      if (++found <= kNamesInNotes) {
        list += fmt::format("{}{} '{}' ({})", list.empty() ? "" : ", ", node.op_type, node.name, to_string(type));
      }
      break;
    }
  }
  if (found == 0) return;
  if (found > kNamesInNotes) list += fmt::format(" and {} more", found - kNamesInNotes);
  plan.notes.push_back("operators of other types stay as they are, since only float32 is quantized: " + list);
}

// Says where a request has a simpler meaning than its word, or none, and still nothing is left undone.
void PlanNotes::note_qtypes(Plan& plan) const {
  std::set<std::string> notes;
  for (const NodeId id : graph_.topological_order()) {
    const Node& node = graph_.node(id);
    for (const Level& level : levels_.of(id)) {
      const bool dual = level.config->qtype == NodeQType::kDualInt16 || level.config->qtype == NodeQType::kInt16Ec;
      if (!dual || is_gemm_type(node.op_type) || float_data_inputs(node, is_float_).empty()) continue;
      notes.insert(fmt::format("{}: on {}, {} means int16 for every data input", level.key, node.op_type,
                               to_string(*level.config->qtype)));
    }
  }
  for (const GraphOutput& output : graph_.outputs) {
    if (!config_.model.model_output_type || (output.value != kNone && is_float_[static_cast<size_t>(output.value)]))
      continue;
    notes.insert(
        fmt::format("model_output_type does not change output '{}', which holds no float32 numbers", output.name));
  }
  plan.notes.insert(plan.notes.end(), notes.begin(), notes.end());
}

}  // namespace twofold
