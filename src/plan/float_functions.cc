#include "plan/float_functions.h"

#include <algorithm>
#include <optional>

#include "plan/operands.h"
#include "plan/request.h"
#include "traits/op_names.h"
#include "traits/op_traits.h"

namespace twofold {

namespace {

// Tensors that a value is computed from are counted up to here; a value of more is one of its own.
constexpr size_t kMaxSources = 8;

// What a config makes of a node's data inputs.
enum class Named : uint8_t { kNot, kFloats, kIntegers };

bool has_floats(const OperatorRule& rule) {
  return std::ranges::any_of(rule.combinations, [](const Combination& combination) {
    return std::ranges::all_of(combination.inputs, [](const std::vector<QType>& allowed) {
      return std::ranges::find(allowed, QType::kFloat32) != allowed.end();
    });
  });
}

class Finder {
 public:
  Finder(const Graph& graph, const Target& target, const ConfigLevels& levels, const std::vector<bool>& is_float)
      : graph_(graph),
        is_float_(is_float),
        nodes_(static_cast<size_t>(graph.node_limit())),
        values_(static_cast<size_t>(graph.num_values())),
        found_(nodes_.size(), false),
        reads_for_functions_(nodes_.size(), false) {
    for (const NodeId id : graph.topological_order()) nodes_[static_cast<size_t>(id)] = role_of(id, target, levels);
  }

  std::vector<bool> find() {
    const std::vector<NodeId> order = graph_.topological_order();
    for (const ValueId input : graph_.inputs) values_[static_cast<size_t>(input)].sources = {input};
    for (const NodeId id : order) follow(id);
    for (auto it = order.rbegin(); it != order.rend(); ++it) {
      const auto i = static_cast<size_t>(*it);
      const bool feeds = only_feeds_functions(graph_.node(*it));
      if (feeds && nodes_[i].can_join) found_[i] = true;
      reads_for_functions_[i] = found_[i] || nodes_[i].function || (feeds && nodes_[i].transparent);
    }
    return found_;
  }

 private:
  struct NodeRole {
    bool transparent = false;  // its results are for what their readers are for, and come from where its inputs come
    bool function = false;     // stays float32, and computes what a small error of its inputs may change a lot
    bool begins = false;       // such a one whose results may spread over orders of magnitude
    bool can_join = false;     // would be quantized, and can stay float32 instead
    bool element_wise = false;
  };
  struct ValueRole {
    std::vector<ValueId> sources;  // tensors between functions that it is computed from, in order
    bool in_function = false;
  };

  NodeRole role_of(NodeId id, const Target& target, const ConfigLevels& levels) const;
  Named named(const Node& node, std::span<const Level> levels) const;
  std::vector<ValueId> tensors_of(const Node& node) const;
  void follow(NodeId id);
  bool continues(const std::vector<ValueId>& tensors) const;
  bool only_feeds_functions(const Node& node) const;
  bool is_read_for_functions(ValueId value) const;

  const ValueRole& role(ValueId value) const { return values_[static_cast<size_t>(value)]; }

  const Graph& graph_;
  const std::vector<bool>& is_float_;
  std::vector<NodeRole> nodes_;    // by NodeId
  std::vector<ValueRole> values_;  // by ValueId
  std::vector<bool> found_;        // by NodeId
  // By NodeId: what the node reads is for functions alone. Of nodes behind the one that is looked at.
  std::vector<bool> reads_for_functions_;
};

Named Finder::named(const Node& node, std::span<const Level> levels) const {
  size_t asked = 0;
  const std::vector<int> inputs = float_data_inputs(node, is_float_);
  for (const int input : inputs) {
    const std::optional<Request> request = requested_input(graph_, node, input, levels);
    if (!request || request->decided_by == DecidedBy::kDefault) continue;
    if (is_integer(request->effective)) return Named::kIntegers;
    ++asked;
  }
  if (asked == 0) return Named::kNot;
  return asked == inputs.size() ? Named::kFloats : Named::kIntegers;  // the others are integers by default
}

// The inputs that results are computed from: floats that are not constant.
std::vector<ValueId> Finder::tensors_of(const Node& node) const {
  std::vector<ValueId> tensors;
  for (const int input : float_data_inputs(node, is_float_)) {
    if (graph_.constant(node.input(input)) == nullptr) tensors.push_back(node.input(input));
  }
  return tensors;
}

Finder::NodeRole Finder::role_of(NodeId id, const Target& target, const ConfigLevels& levels) const {
  const Node& node = graph_.node(id);
  const OpTraits& traits = traits_of(node);
  const bool moves = moves_data(traits);
  NodeRole role;
  role.element_wise = traits.effect == Effect::kElementwise;
  if (tensors_of(node).empty() || !(role.element_wise || moves || traits.effect == Effect::kByRow)) return role;
  const Named named = this->named(node, levels.of(id));
  if (named == Named::kIntegers) return role;
  const bool quantized = target.quantizes_by_default(node.op_type);
  const bool divides_by_constant = node.is(op::kDiv) && graph_.constant(node.input(1)) != nullptr;
  role.can_join = quantized && !moves && named == Named::kNot && has_floats(target.rule(node.op_type));
  role.transparent =
      moves || (!quantized && (traits.homogeneous || divides_by_constant)) || (quantized && named == Named::kFloats);
  role.function = !quantized && !role.transparent;
  // What normalizes rows gives numbers of one magnitude.
  role.begins = role.function && (role.element_wise || traits.shape != ShapeRule::kSame);
  return role;
}

// Says of a node's results where they come from, and marks the node if it continues a function.
void Finder::follow(NodeId id) {
  const Node& node = graph_.node(id);
  const NodeRole& role = nodes_[static_cast<size_t>(id)];
  const std::vector<ValueId> tensors = tensors_of(node);
  const bool known = role.transparent || role.function || role.can_join;
  ValueRole result;
  for (const ValueId tensor : tensors) {
    if (!known) break;
    std::vector<ValueId> sources;
    std::ranges::set_union(result.sources, this->role(tensor).sources, std::back_inserter(sources));
    result.sources = std::move(sources);
  }
  const bool continued =
      std::ranges::any_of(tensors, [this](ValueId tensor) { return this->role(tensor).in_function; });
  found_[static_cast<size_t>(id)] = role.can_join && role.element_wise && continued && continues(tensors);
  result.in_function = role.begins || found_[static_cast<size_t>(id)] || (role.transparent && continued);
  for (const ValueId output : node.outputs) {
    if (output == kNone) continue;
    ValueRole& value = values_[static_cast<size_t>(output)];
    value = result;
    if (!known || value.sources.empty() || value.sources.size() > kMaxSources) value.sources = {output};
  }
}

// Where one of the tensors is a result of a function: whether the others are made of what that is made of.
bool Finder::continues(const std::vector<ValueId>& tensors) const {
  std::vector<ValueId> inside, sources;
  for (const ValueId tensor : tensors) {
    if (!role(tensor).in_function) continue;
    sources.clear();
    std::ranges::set_union(inside, role(tensor).sources, std::back_inserter(sources));
    inside = sources;
  }
  return std::ranges::all_of(tensors,
                             [&](ValueId tensor) { return std::ranges::includes(inside, role(tensor).sources); });
}

bool Finder::only_feeds_functions(const Node& node) const {
  bool found = false;
  for (const ValueId output : node.outputs) {
    if (output == kNone || !is_float_[static_cast<size_t>(output)]) continue;
    if (graph_.consumers(output).empty() && !graph_.is_output(output)) continue;
    if (!is_read_for_functions(output)) return false;
    found = true;
  }
  return found;
}

bool Finder::is_read_for_functions(ValueId value) const {
  if (graph_.is_output(value)) return false;
  bool found = false;
  for (const NodeId reader : graph_.consumers(value)) {
    if (traits_of(graph_.node(reader)).effect == Effect::kReadsShape) continue;
    if (!reads_for_functions_[static_cast<size_t>(reader)]) return false;
    found = true;
  }
  return found;
}

}  // namespace

std::vector<bool> find_float_functions(const Graph& graph, const Target& target, const ConfigLevels& levels,
                                       const std::vector<bool>& is_float) {
  return Finder(graph, target, levels, is_float).find();
}

}  // namespace twofold
