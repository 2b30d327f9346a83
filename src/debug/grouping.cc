#include "debug/grouping.h"

#include <algorithm>
#include <charconv>
#include <map>

#include "base/error.h"

namespace twofold {

namespace {

template <typename... Cases>
struct Overloaded : Cases... {
  using Cases::operator()...;
};
template <typename... Cases>
Overloaded(Cases...) -> Overloaded<Cases...>;

// Puts units of nodes together that have one key.
template <typename Key>
std::vector<Unit> grouped(const std::vector<Unit>& nodes, const Key& key) {
  std::vector<Unit> groups;
  std::map<std::string, size_t> position;
  for (const Unit& node : nodes) {
    const auto [entry, inserted] = position.emplace(key(node), groups.size());
    if (inserted) groups.push_back({entry->first, node.op_type, {}});
    Unit& group = groups[entry->second];
    if (group.op_type != node.op_type) group.op_type.clear();
    group.operands.insert(group.operands.end(), node.operands.begin(), node.operands.end());
  }
  return groups;
}

std::vector<Unit> listed(const Graph& graph, const Plan& plan, const NodeLists& lists) {
  std::vector<Unit> groups;
  for (const std::vector<std::string>& list : lists) {
    const std::vector<Unit> nodes = units_of_nodes(graph, plan, nodes_named(graph, list));
    Unit group = grouped(nodes, [](const Unit&) { return std::string(); }).front();
    for (const std::string& name : list) group.name += (group.name.empty() ? "" : "+") + name;
    groups.push_back(std::move(group));
  }
  return groups;
}

}  // namespace

Grouping parse_grouping(std::string_view text) {
  if (text == "op_type") return ByOpType{};
  if (text == "prefix") return ByPrefix{};
  constexpr std::string_view kPrefix = "prefix:";
  if (text.starts_with(kPrefix)) {
    const std::string_view digits = text.substr(kPrefix.size());
    int depth = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), depth);
    if (error == std::errc() && end == digits.data() + digits.size() && depth > 0) return ByPrefix{depth};
  }
  throw_error(ErrorCode::kInvalidArgument,
              "'{}' is no grouping; there are op_type, prefix, prefix:<depth> and lists of nodes", text);
}

void check_grouping(const Graph& graph, const Grouping& grouping) {
  const auto* lists = std::get_if<NodeLists>(&grouping);
  if (lists == nullptr) return;
  for (const std::vector<std::string>& list : *lists) {
    if (list.empty()) throw_error(ErrorCode::kInvalidArgument, "a group of nodes is empty");
    nodes_named(graph, list);
  }
}

std::vector<Unit> group_units(const Graph& graph, const Plan& plan, const Grouping& grouping) {
  const auto nodes = [&] { return units_of(graph, plan, UnitKind::kNode); };
  return std::visit(
      Overloaded{[&](const NodeLists& lists) { return listed(graph, plan, lists); },
                 [&](ByOpType) { return grouped(nodes(), [](const Unit& unit) { return unit.op_type; }); },
                 [&](ByPrefix prefix) {
                   return grouped(nodes(), [&](const Unit& unit) { return folders_of(unit.name, prefix.depth); });
                 }},
      grouping);
}

std::vector<std::string> nodes_of(const Plan& plan, const Unit& unit) {
  std::vector<std::string> nodes;
  for (const size_t operand : unit.operands) {
    const std::string& node = plan.operands()[operand].node;
    if (std::ranges::find(nodes, node) == nodes.end()) nodes.push_back(node);
  }
  return nodes;
}

std::string folders_of(std::string_view node, int depth) {
  size_t end = node.rfind('/');
  if (end == std::string_view::npos || end == 0) return "/";
  const std::string_view folders = node.substr(0, end);
  if (depth == 0) return std::string(folders);
  size_t at = folders.starts_with('/') ? 1 : 0;
  for (int i = 0; i < depth; ++i) {
    at = folders.find('/', at);
    if (at == std::string_view::npos) return std::string(folders);
    ++at;
  }
  return std::string(folders.substr(0, at - 1));
}

}  // namespace twofold
