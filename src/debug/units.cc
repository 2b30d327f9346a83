#include "debug/units.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "base/error.h"
#include "base/nearest_names.h"
#include "plan/node_names.h"
#include "quantize/decide.h"

namespace twofold {

namespace {

// What the unit of a kind is called that an operand which gets integers belongs to; empty where there is none.
std::string unit_name(const Graph& graph, const OperandPlan& operand, UnitKind kind) {
  if (kind == UnitKind::kNode) return operand.node;
  return is_quantized_activation(graph, operand) == (kind == UnitKind::kActivation) ? operand.value : "";
}

}  // namespace

std::string_view to_string(UnitKind kind) {
  switch (kind) {
    case UnitKind::kNode: return "node";
    case UnitKind::kWeight: return "weight";
    case UnitKind::kActivation: return "activation";
  }
  return "node";
}

std::optional<UnitKind> parse_unit_kind(std::string_view text) {
  for (const UnitKind kind : {UnitKind::kNode, UnitKind::kWeight, UnitKind::kActivation}) {
    if (text == to_string(kind)) return kind;
  }
  return std::nullopt;
}

std::string unit_key(UnitKind kind, std::string_view name) { return fmt::format("{}:{}", to_string(kind), name); }

std::vector<Unit> units_of(const Graph& graph, const Plan& plan, UnitKind kind) {
  std::vector<Unit> units;
  std::map<std::string, size_t> position;
  for (size_t i = 0; i < plan.operands().size(); ++i) {
    const OperandPlan& operand = plan.operands()[i];
    if (!is_integer(operand.granted)) continue;
    const std::string name = unit_name(graph, operand, kind);
    if (name.empty()) continue;
    const auto [entry, inserted] = position.emplace(name, units.size());
    if (inserted) units.push_back({name, operand.op_type, {}});
    units[entry->second].operands.push_back(i);
  }
  return units;
}

std::set<std::string> nodes_named(const Graph& graph, const std::vector<std::string>& names) {
  const NodeNames known(graph);
  std::set<std::string> found;
  for (const std::string& name : names) {
    const std::vector<NodeId> nodes = known.find(graph, name);
    if (nodes.empty()) {
      throw_error(ErrorCode::kNotFound, "the model has no node '{}'; the nearest are {}", name,
                  quoted_list(nearest_names(name, known.all(), 3)));
    }
    for (const NodeId id : nodes) found.insert(graph.node(id).name);
  }
  return found;
}

std::vector<Unit> units_of_nodes(const Graph& graph, const Plan& plan, const std::set<std::string>& nodes) {
  std::vector<Unit> units = units_of(graph, plan, UnitKind::kNode);
  for (const std::string& node : nodes) {
    if (std::ranges::find(units, node, &Unit::name) != units.end()) continue;
    throw_error(ErrorCode::kInvalidArgument, "node '{}' ({}) has no operand that the plan makes integers of", node,
                graph.node(graph.find_node(node)).op_type);
  }
  std::erase_if(units, [&](const Unit& unit) { return !nodes.contains(unit.name); });
  return units;
}

}  // namespace twofold
