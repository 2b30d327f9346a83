// Nodes that are quantized together: single ones may look harmless and ruin a model all the same.
#ifndef TWOFOLD_SRC_DEBUG_GROUPING_H_
#define TWOFOLD_SRC_DEBUG_GROUPING_H_

#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "debug/units.h"

namespace twofold {

// All nodes of an operator type.
struct ByOpType {};
// All nodes whose names have the same folders: "/encoder/layer.0" of "/encoder/layer.0/MatMul".
struct ByPrefix {
  int depth = 0;  // how many folders count; 0: all
};
using NodeLists = std::vector<std::vector<std::string>>;
using Grouping = std::variant<NodeLists, ByOpType, ByPrefix>;

// Reads "op_type", "prefix" or "prefix:<depth>". Throws Error(kInvalidArgument).
Grouping parse_grouping(std::string_view text);
// Throws Error(kNotFound) for the first node of lists that the graph does not have.
void check_grouping(const Graph& graph, const Grouping& grouping);

// The groups with anything that the plan makes integers of, in the order of their first nodes; lists in their order.
// Names: the operator type; the folders, "/" for nodes without; the nodes of a list, joined by "+".
std::vector<Unit> group_units(const Graph& graph, const Plan& plan, const Grouping& grouping);

// The names of the nodes whose operands the unit has, in its order.
std::vector<std::string> nodes_of(const Plan& plan, const Unit& unit);

// The folders of a node's name, of which `depth` count (0: all): "/a/b" of "/a/b/Conv". "/" where there are none.
std::string folders_of(std::string_view node, int depth);

}  // namespace twofold

#endif  // TWOFOLD_SRC_DEBUG_GROUPING_H_
