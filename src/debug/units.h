// What is quantized at once, everything else staying float, to see what becomes of a model's outputs.
#ifndef TWOFOLD_SRC_DEBUG_UNITS_H_
#define TWOFOLD_SRC_DEBUG_UNITS_H_

#include <cstddef>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "graph/graph.h"
#include "plan/plan.h"

namespace twofold {

// A node with all its operands, one constant operand, or one activation for all its readers.
enum class UnitKind : uint8_t { kNode, kWeight, kActivation };

// "node", "weight", "activation": the words of the command line.
std::string_view to_string(UnitKind kind);
std::optional<UnitKind> parse_unit_kind(std::string_view text);

// What results call a unit: "weight:conv1.weight".
std::string unit_key(UnitKind kind, std::string_view name);

struct Unit {
  std::string name;              // of the node; of the tensor, where it is a weight or an activation
  std::string op_type;           // of the node, or of the first of the plan that has the tensor as an operand
  std::vector<size_t> operands;  // by position in the plan

  bool operator==(const Unit&) const = default;
};

// Every unit of a kind with an operand that the plan makes integers of, in graph order.
std::vector<Unit> units_of(const Graph& graph, const Plan& plan, UnitKind kind);

// The names of the nodes that `names` mean: each that of a node, or of any node of the input file that one stands for.
// Throws Error(kNotFound) with the three nearest names where there is no such node.
std::set<std::string> nodes_named(const Graph& graph, const std::vector<std::string>& names);

// The units of these nodes. Throws Error(kInvalidArgument) where the plan makes integers of no operand of one.
std::vector<Unit> units_of_nodes(const Graph& graph, const Plan& plan, const std::set<std::string>& nodes);

}  // namespace twofold

#endif  // TWOFOLD_SRC_DEBUG_UNITS_H_
