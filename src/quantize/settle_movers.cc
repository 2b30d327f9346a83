#include "quantize/settle_movers.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include "quantize/operand_scales.h"
#include "traits/op_traits.h"

namespace twofold {

namespace {

class MoverSettler {
 public:
  MoverSettler(CalibratedModel& model, const Target& target, Plan& plan)
      : model_(model), graph_(model.graph()), target_(target), plan_(plan) {}

  void run() {
    std::vector<SharedScaleLoss> losses = find_losses();
    while (leave_float(losses)) {
      model_.calibrate(plan_);
      losses = find_losses();
    }
    note_float();
    note_losses(losses);
  }

 private:
  std::vector<SharedScaleLoss> find_losses() const {
    return OperandScales(graph_, plan_, observed_bounds(graph_, plan_, model_.statistics())).losses();
  }

  // Whether any of the movers that cause the losses could be left float.
  bool leave_float(const std::vector<SharedScaleLoss>& losses) {
    std::map<NodeId, SharedScaleLoss> worst;
    for (const SharedScaleLoss& loss : losses) {
      if (loss.mover == kNone) continue;
      SharedScaleLoss& known = worst.try_emplace(loss.mover, loss).first->second;
      if (loss.ratio > known.ratio) known = loss;
    }
    bool any = false;
    for (const auto& [mover, loss] : worst) {
      if (!may_be_float(mover)) continue;
      left_float_.emplace_back(mover, loss);
      make_float(mover);
      any = true;
    }
    return any;
  }

  // The data inputs of a mover that the plan makes integers of.
  std::vector<OperandPlan*> integer_inputs(const Node& node) {
    std::vector<OperandPlan*> inputs;
    if (!moves_data(traits_of(node))) return inputs;
    for (const int index : data_inputs(node)) {
      OperandPlan* operand = plan_.find(node.name, OperandRef::input(index));
      if (operand != nullptr && is_integer(operand->granted)) inputs.push_back(operand);
    }
    return inputs;
  }

  bool may_be_float(NodeId id) {
    const Node& node = graph_.node(id);
    const std::vector<OperandPlan*> inputs = integer_inputs(node);
    if (inputs.empty()) return false;
    if (std::ranges::any_of(inputs, [](const OperandPlan* o) { return o->decided_by != DecidedBy::kDefault; }))
      return false;
    const std::vector<QType> all_float(data_inputs(node).size(), QType::kFloat32);
    return std::ranges::any_of(target_.rule(node.op_type).combinations, [&](const Combination& combination) {
      return combination.matches(all_float) && has_outputs(node, combination);
    });
  }

  bool has_outputs(const Node& node, const Combination& combination) const {
    return std::ranges::all_of(plan_.of_node(node.name), [&](const OperandPlan* operand) {
      return operand->operand.is_input() ||
             std::ranges::find(combination.outputs, operand->granted) != combination.outputs.end();
    });
  }

  void make_float(NodeId id) {
    if (!may_be_float(id)) return;
    const Node& node = graph_.node(id);
    for (OperandPlan* operand : integer_inputs(node)) {
      operand->asked = operand->granted = QType::kFloat32;
      operand->reason.clear();
      operand->activation = {};
    }
    for (const int index : data_inputs(node)) {
      const NodeId producer = graph_.producer(node.input(index));
      if (producer != kNone) make_float(producer);
    }
    for (const ValueId output : node.outputs) {
      if (output == kNone) continue;
      for (const NodeId reader : graph_.consumers(output)) {
        if (traits_of(graph_.node(reader)).effect == Effect::kTakesPart) make_float(reader);
      }
    }
  }

  // "node 'split' (Split)".
  std::string name(NodeId id) const {
    return fmt::format("node '{}' ({})", graph_.node(id).name, graph_.node(id).op_type);
  }

  // "38.2 dB at node 'mul' (Mul) input0".
  std::string text(const SharedScaleLoss& loss) const {
    const OperandPlan& operand = plan_.operands()[loss.operand];
    return fmt::format("{:.1f} dB at node '{}' ({}) {}", decibels_lost(loss.ratio), operand.node, operand.op_type,
                       to_string(operand.operand));
  }

  void note_float() {
    std::string list;
    for (const auto& [mover, worst] : left_float_) {
      list += fmt::format("{}{} ({})", list.empty() ? "" : ", ", name(mover), text(worst));
    }
    if (list.empty()) return;
    plan_.notes.push_back(
        "operators that stay float32, as do those before them that only move data, since integers of one scale would "
        "be so much too coarse for who reads a part: " +
        list);
  }

  void note_losses(const std::vector<SharedScaleLoss>& losses) {
    std::map<NodeId, std::string> lists;  // by mover
    for (const SharedScaleLoss& loss : losses) {
      std::string& list = lists[loss.mover];
      list += (list.empty() ? "" : ", ") + text(loss);
    }
    for (const auto& [mover, list] : lists) {
      plan_.notes.push_back(why(mover) + "; what operands lose to larger numbers beside theirs: " + list);
    }
  }

  std::string why(NodeId mover) const {
    if (mover == kNone) {
      return fmt::format("target '{}' has one scale for all tensors that operators join which only move data",
                         plan_.target);
    }
    return fmt::format("{} moves integers at one scale, as {}", name(mover),
                       is_named(graph_.node(mover)) ? "the config asks for" : "the target has no float32 for it");
  }

  bool is_named(const Node& node) const {
    return std::ranges::any_of(plan_.of_node(node.name), [](const OperandPlan* operand) {
      return operand->operand.is_input() && operand->decided_by != DecidedBy::kDefault;
    });
  }

  CalibratedModel& model_;
  const Graph& graph_;
  const Target& target_;
  Plan& plan_;
  std::vector<std::pair<NodeId, SharedScaleLoss>> left_float_;
};

}  // namespace

void settle_movers(CalibratedModel& model, const Target& target, Plan& plan) {
  MoverSettler(model, target, plan).run();
}

}  // namespace twofold
