#include "quantize/plan_cost.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <tuple>

#include "quantize/node_work.h"
#include "traits/gemm_type.h"
#include "traits/recurrent.h"

namespace twofold {

namespace {

using Form = std::tuple<QType, std::vector<float>, std::vector<int32_t>>;

// How a tensor is read.
struct Forms {
  std::set<Form> integers;
  bool as_float = false;
};

class CostOf {
 public:
  CostOf(CalibratedModel& model, const Plan& plan, const Target& target)
      : graph_(model.graph()), shapes_(model.shapes()), target_(target) {
    for (const OperandPlan& operand : plan.operands()) by_node_[operand.node].push_back(&operand);
  }

  PlanCost run() {
    collect_forms();
    PlanCost result;
    for (NodeId id : graph_.topological_order()) {
      const Node& node = graph_.node(id);
      const double products = work(node), steps = multiplications_of_state(node, shapes_);
      NodeCost cost{node.name, node.op_type, products + steps};
      const std::vector<QType> precisions = input_precisions(node);
      if (!precisions.empty()) {
        const std::vector<QType> floats(precisions.size(), QType::kFloat32);
        cost.cost = products * target_.cost(node.op_type, precisions) + steps * target_.cost(node.op_type, floats);
      }
      const bool integer = steps == 0 && !precisions.empty() && std::ranges::all_of(precisions, is_integer);
      for (ValueId output : node.outputs) {
        if (output != kNone) cost.conversions += conversions(output, integer);
      }
      result.nodes.push_back(std::move(cost));
    }
    for (ValueId input : graph_.inputs) result.of_inputs += conversions(input, false);
    return result;
  }

 private:
  double size(ValueId id) const { return static_cast<double>(num_elements(shapes_.at(id))); }

  // Multiply-accumulates other than those, or elements of the outputs.
  double work(const Node& node) const {
    if (is_gemm_type(node) || is_recurrent(node)) return multiplications(node, shapes_);
    double elements = 0;
    for (ValueId output : node.outputs) elements += output == kNone ? 0 : size(output);
    return elements;
  }

  std::vector<QType> input_precisions(const Node& node) const {
    std::vector<QType> precisions;
    const auto it = by_node_.find(node.name);
    if (it == by_node_.end()) return precisions;
    for (const OperandPlan* operand : it->second) {
      if (operand->operand.is_input()) precisions.push_back(operand->granted);
    }
    return precisions;
  }

  void collect_forms() {
    for (NodeId id : graph_.topological_order()) {
      const Node& node = graph_.node(id);
      for (size_t i = 0; i < node.inputs.size(); ++i) {
        if (node.inputs[i] != kNone) read(node.inputs[i], find(node, OperandRef::input(static_cast<int>(i))));
      }
    }
    for (const GraphOutput& output : graph_.outputs) {
      const NodeId producer = graph_.producer(output.value);
      if (producer == kNone) continue;
      const std::vector<ValueId>& outputs = graph_.node(producer).outputs;
      const auto index = static_cast<int>(std::ranges::find(outputs, output.value) - outputs.begin());
      read(output.value, find(graph_.node(producer), OperandRef::output(index)));
    }
  }

  const OperandPlan* find(const Node& node, OperandRef operand) const {
    const auto it = by_node_.find(node.name);
    if (it == by_node_.end()) return nullptr;
    const auto found = std::ranges::find(it->second, operand, &OperandPlan::operand);
    return found == it->second.end() ? nullptr : *found;
  }

  void read(ValueId value, const OperandPlan* operand) {
    Forms& forms = forms_[value];
    if (operand == nullptr || !is_integer(operand->granted)) {
      forms.as_float = true;
      return;
    }
    const QParams params = operand->params.value_or(QParams{});
    forms.integers.emplace(operand->granted, params.scale, params.zero_point);
  }

  double conversions(ValueId value, bool from_integers) const {
    const auto it = forms_.find(value);
    if (it == forms_.end() || graph_.constant(value) != nullptr) return 0;
    const auto integers = static_cast<double>(it->second.integers.size());
    if (!from_integers) return integers * size(value);
    return std::max(integers + (it->second.as_float ? 1 : 0) - 1, 0.0) * size(value);
  }

  const Graph& graph_;
  const std::map<ValueId, Shape>& shapes_;
  const Target& target_;
  std::map<std::string, std::vector<const OperandPlan*>> by_node_;
  std::map<ValueId, Forms> forms_;
};

}  // namespace

double PlanCost::total() const {
  double sum = of_inputs;
  for (const NodeCost& node : nodes) sum += node.cost + node.conversions;
  return sum;
}

PlanCost plan_cost(CalibratedModel& model, const Plan& plan, const Target& target) {
  return CostOf(model, plan, target).run();
}

}  // namespace twofold
