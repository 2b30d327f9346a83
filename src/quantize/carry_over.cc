#include "quantize/carry_over.h"

#include <fmt/format.h>

#include <map>
#include <set>
#include <string>

#include "base/error.h"
#include "plan/fingerprint.h"
#include "plan/operands.h"
#include "quantize/decide.h"
#include "quantize/equalize.h"
#include "quantize/fit_biases.h"

namespace twofold {

namespace {

class CarryOver {
 public:
  CarryOver(const Plan& plan, const Graph& graph) : plan_(plan), user_graph_(graph), graph_(graph) {
    for (const ModelDifference& difference : differences(plan, graph))
      differences_.emplace(difference.node, difference);
    for (const Equalization& equalization : plan.equalizations) carry(equalization);
  }

  Plan run() {
    Plan result;
    result.target = plan_.target;
    result.compiler_version = plan_.compiler_version;
    result.policy = plan_.policy;
    result.shared_scales = plan_.shared_scales;
    result.uint8_activations = plan_.uint8_activations;
    result.notes = plan_.notes;
    result.unmet = plan_.unmet;
    for (const OperandPlan& operand : plan_.operands()) add(operand, result);
    remember_model(user_graph_, result);
    rename_operands(graph_, result);
    result.equalizations = equalizations_;
    for (const auto& [node, difference] : differences_) result.notes.push_back(sentence(difference));
    result.notes.insert(result.notes.end(), left_out_.begin(), left_out_.end());
    decide_again(result);
    return result;
  }

 private:
  // Equalizes, if the graph has the nodes that are concerned.
  void carry(const Equalization& equalization) {
    try {
      graph_ = equalize(graph_, {equalization});
      equalizations_.push_back(equalization);
    } catch (const Error& error) {
      left_out_.push_back(fmt::format("{}: not carried over, and its nodes stay float32", error.what()));
      not_equalized_.insert(equalization.nodes.begin(), equalization.nodes.end());
    }
  }

  void add(const OperandPlan& planned, Plan& result) {
    if (is_integer(planned.granted) && !planned.params) {
      throw_error(ErrorCode::kInvalidArgument, "the plan is not decided: node '{}' ({}) {} is {}, but has no scale",
                  planned.node, planned.op_type, to_string(planned.operand), to_string(planned.granted));
    }
    if (not_equalized_.contains(planned.node)) return;
    const auto known = differences_.find(planned.node);
    OperandPlan operand = planned;
    if (known != differences_.end()) {
      const NodeId id = graph_.find_node(planned.node);
      if (id == kNone || graph_.node(id).op_type != planned.op_type) return;
      const Node& node = graph_.node(id);
      const OperandRef ref = planned.operand;
      const ValueId value = ref.is_input() ? node.input(ref.index) : node.output(ref.index);
      if (value == kNone) return leave_out(planned, "the node has no such operand");
      operand.value = graph_.value(value).name;
      operand.is_weight = ref.is_input() && is_weight(graph_, node, ref.index);
      if (graph_.constant(value) != nullptr) {
        again_.push_back(result.operands().size());
        operand.bias_shift.clear();
      } else if (is_integer(operand.granted) && (operand.params->axis >= 0 || planned.is_weight)) {
        return leave_out(planned, "it was a constant and is computed now");
      }
    }
    result.add(std::move(operand));
  }

  // The scales of constants of nodes that are not the same.
  void decide_again(Plan& result) const {
    std::set<std::string> nodes;
    for (size_t position : again_) {
      if (is_integer(result.operand(position).granted)) decide_constant(graph_, result.operand(position));
      nodes.insert(result.operand(position).node);
    }
    const auto abs_max = [&](const Node& node) {
      return nodes.contains(node.name) ? planned_threshold(result, node) : 0;
    };
    fit_biases(graph_, abs_max, result);
  }

  // The largest magnitude that the first input of a node is planned for; 0 where it stays float.
  static float planned_threshold(const Plan& plan, const Node& node) {
    const OperandPlan* input = plan.find(node.name, OperandRef::input(0));
    return input == nullptr || !is_integer(input->granted) ? 0 : input->threshold;
  }

  void leave_out(const OperandPlan& operand, std::string_view why) {
    left_out_.push_back(fmt::format("node '{}' ({}) {} stays float32: {}", operand.node, operand.op_type,
                                    to_string(operand.operand), why));
  }

  std::string sentence(const ModelDifference& difference) const {
    if (difference.only_content) return difference.what + ": scales of its constants are computed again";
    if (graph_.find_node(difference.node) == kNone) return difference.what + ": left out";
    const bool is_planned = plan_.find(difference.node, OperandRef::input(0)) != nullptr;
    return difference.what + (is_planned ? ": carried over as far as it fits" : ": it stays float32");
  }

  const Plan& plan_;
  const Graph& user_graph_;
  Graph graph_;  // equalized
  std::vector<Equalization> equalizations_;
  std::set<std::string> not_equalized_;
  std::map<std::string, ModelDifference> differences_;
  std::vector<size_t> again_;
  std::vector<std::string> left_out_;
};

}  // namespace

Plan carry_over(const Plan& plan, const Graph& graph) { return CarryOver(plan, graph).run(); }

}  // namespace twofold
