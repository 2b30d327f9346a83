#include "debug/units.h"

#include <algorithm>
#include <map>

#include "base/error.h"
#include "base/nearest_names.h"

namespace twofold {

namespace {

// What the operand's unit of a kind is called; empty where it has none.
std::string unit_name(const Graph& graph, const OperandPlan& operand, UnitKind kind) {
  if (kind == UnitKind::kNode) return operand.node;
  const bool constant = graph.constant(graph.find_value(operand.value)) != nullptr;
  return constant == (kind == UnitKind::kWeight) ? operand.value : "";
}

// Node names and those of the nodes of the input file that they stand for, with the node.
std::map<std::string, std::string, std::less<>> nodes_by_any_name(const Graph& graph) {
  std::map<std::string, std::string, std::less<>> nodes;
  for (const NodeId id : graph.topological_order()) {
    const Node& node = graph.node(id);
    nodes.emplace(node.name, node.name);
    for (const std::string& origin : node.origins) nodes.emplace(origin, node.name);
  }
  return nodes;
}

[[noreturn]] void throw_unknown(const std::string& name, const auto& nodes) {
  std::vector<std::string> known;
  for (const auto& [any, node] : nodes) known.push_back(any);
  throw_error(ErrorCode::kNotFound, "the model has no node '{}'; the nearest are {}", name,
              quoted_list(nearest_names(name, known, 3)));
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
  const auto nodes = nodes_by_any_name(graph);
  std::set<std::string> found;
  for (const std::string& name : names) {
    const auto node = nodes.find(name);
    if (node == nodes.end()) throw_unknown(name, nodes);
    found.insert(node->second);
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
