#include "gradients/backward.h"

#include <algorithm>
#include <ranges>

#include "base/error.h"
#include "gradients/backward_graph.h"
#include "gradients/rule.h"
#include "passes/fold_constants.h"
#include "passes/remove_dead_nodes.h"
#include "traits/op_names.h"

namespace twofold {

namespace {

class Sweep {
 public:
  Sweep(const Graph& forward, const std::map<ValueId, Shape>& shapes, const std::set<ValueId>& wanted)
      : forward_(forward),
        backward_(forward, shapes),
        order_(forward.topological_order()),
        wanted_(wanted.empty() ? all_floats() : wanted),
        needed_(needed_values()),
        terms_(static_cast<size_t>(forward.num_values())),
        incomplete_(static_cast<size_t>(forward.num_values()), false) {}

  Backward run() {
    seed();
    for (const NodeId id : std::views::reverse(order_)) lead_through(id);
    return finish();
  }

 private:
  static size_t at(ValueId id) { return static_cast<size_t>(id); }

  std::set<ValueId> all_floats() const {
    std::set<ValueId> all;
    const auto add = [&](ValueId id) {
      if (id != kNone && backward_.is_float(id)) all.insert(id);
    };
    for (const ValueId id : forward_.inputs) add(id);
    for (const NodeId id : order_) std::ranges::for_each(forward_.node(id).outputs, add);
    return all;
  }

  // Those that are wanted, and those that the gradient passes on its way to one.
  std::vector<bool> needed_values() const {
    std::vector<bool> needed(static_cast<size_t>(forward_.num_values()), false);
    for (const ValueId id : wanted_) {
      if (id < 0 || id >= forward_.num_values() || forward_.constant(id) != nullptr || !backward_.is_float(id)) {
        const bool exists = id >= 0 && id < forward_.num_values();
        throw_error(ErrorCode::kInvalidArgument, "'{}' is no float activation, so it has no gradient",
                    exists ? forward_.value(id).name : std::to_string(id));
      }
      needed[at(id)] = true;
    }
    for (const NodeId id : order_) {
      const Node& node = forward_.node(id);
      const auto is_needed = [&](ValueId input) { return input != kNone && needed[at(input)]; };
      if (!std::ranges::any_of(node.inputs, is_needed)) continue;
      for (const ValueId output : node.outputs) {
        if (output != kNone && backward_.is_float(output)) needed[at(output)] = true;
      }
    }
    return needed;
  }

  void seed() {
    for (const GraphOutput& output : forward_.outputs) {
      const Term cotangent = backward_.cotangent(backward_.shape(output.value));
      if (needed_[at(output.value)]) terms_[at(output.value)].push_back(cotangent);
    }
  }

  // The gradient of a value, all of whose readers have been gone through.
  Term gradient(ValueId id) {
    std::vector<Term>& terms = terms_[at(id)];
    if (terms.size() > 1) terms = {backward_.node(op::kSum, terms)};
    return terms.empty() ? Term() : terms[0];
  }

  void lead_through(NodeId id) {
    const Node& node = forward_.node(id);
    std::vector<bool> wanted;
    for (const ValueId input : node.inputs) wanted.push_back(input != kNone && needed_[at(input)]);
    if (std::ranges::none_of(wanted, std::identity())) return;
    std::vector<Term> dy;
    bool comes = false, incomplete = false;
    for (const ValueId output : node.outputs) {
      dy.push_back(output == kNone ? Term() : gradient(output));
      comes = comes || dy.back().defined();
      incomplete = incomplete || (output != kNone && incomplete_[at(output)]);
    }
    if (!comes && !incomplete) return;
    const RuleDef* rule = find_rule(node);
    if (rule != nullptr && rule->lead == nullptr) return;
    if (rule == nullptr) {
      result_.without_rule[id] = "no rule for " + node.op_type;
      incomplete = true;
    }
    if (incomplete) {
      for (size_t i = 0; i < wanted.size(); ++i) {
        if (wanted[i]) incomplete_[at(node.inputs[i])] = true;
      }
    }
    if (rule != nullptr && comes) apply(id, *rule, std::move(dy), std::move(wanted));
  }

  void apply(NodeId id, const RuleDef& rule, std::vector<Term> dy, std::vector<bool> wanted) {
    const Node& node = forward_.node(id);
    RuleCall call(backward_, node, std::move(dy), std::move(wanted));
    try {
      rule.lead(call);
    } catch (const Error& error) {
      throw_error(error.code(), "node '{}' ({}): {}", node.name, node.op_type, error.what());
    }
    for (size_t i = 0; i < node.inputs.size(); ++i) {
      if (call.dx()[i].defined()) terms_[at(node.inputs[i])].push_back(call.dx()[i]);
    }
    for (const int i : call.lacking()) incomplete_[at(node.input(i))] = true;
    if (!call.lacking().empty()) result_.without_rule[id] = call.why();
  }

  Backward finish() {
    Graph& graph = backward_.graph;
    for (const ValueId id : wanted_) {
      if (incomplete_[at(id)]) result_.incomplete.insert(id);
      const Term term = gradient(id);
      if (!term.defined()) continue;
      result_.gradients[id] = graph.outputs.size();
      graph.outputs.push_back({"gradient of " + forward_.value(id).name, term.id});
    }
    // What rules have asked for in vain goes, so that nobody keeps values for it. Transposed weights are made once.
    graph.inputs = backward_.value_inputs;
    graph.inputs.insert(graph.inputs.end(), backward_.cotangents.begin(), backward_.cotangents.end());
    remove_dead_nodes(graph);
    fold_constants(graph);
    graph.inputs.clear();
    for (size_t i = 0; i < backward_.value_inputs.size(); ++i) {
      if (graph.consumers(backward_.value_inputs[i]).empty()) continue;
      graph.inputs.push_back(backward_.value_inputs[i]);
      result_.forward.push_back(backward_.forward_values[i]);
    }
    graph.inputs.insert(graph.inputs.end(), backward_.cotangents.begin(), backward_.cotangents.end());
    graph.compact();
    verify(graph);
    result_.graph = std::move(graph);
    return std::move(result_);
  }

  const Graph& forward_;
  BackwardGraph backward_;
  const std::vector<NodeId> order_;
  const std::set<ValueId> wanted_;
  const std::vector<bool> needed_;        // by forward value
  std::vector<std::vector<Term>> terms_;  // by forward value: what its gradient is the sum of
  std::vector<bool> incomplete_;          // by forward value
  Backward result_;
};

}  // namespace

Backward backward_of(const Graph& forward, const std::map<ValueId, Shape>& shapes, const std::set<ValueId>& wanted) {
  return Sweep(forward, shapes, wanted).run();
}

}  // namespace twofold
