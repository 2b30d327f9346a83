// Requests for operands that are not data: they end in the plan too, with the reason why nothing comes of them.
#ifndef TWOFOLD_SRC_PLAN_REFUSED_REQUESTS_H_
#define TWOFOLD_SRC_PLAN_REFUSED_REQUESTS_H_

#include <set>
#include <span>
#include <string>
#include <vector>

#include "graph/graph.h"
#include "plan/config_levels.h"
#include "plan/plan.h"

namespace twofold {

class RefusedRequests {
 public:
  // `is_float` as float_values() gives it.
  RefusedRequests(const Graph& graph, const std::vector<bool>& is_float) : graph_(graph), is_float_(is_float) {}

  // What the levels of a node ask in vain, given the operands of the node that are planned. Asking for float32 in vain
  // is no request. Throws Error(kInvalidArgument) for an operand that a node_config names and the node does not have.
  std::vector<OperandPlan> find(const Node& node, std::span<const Level> levels, std::span<const OperandPlan> inputs,
                                std::span<const OperandPlan> outputs);

  // Throws Error(kInvalidArgument) for an operand that an op_config or subgraph_config names and that none of its nodes
  // has. Call when find() has seen every node.
  void check_missing() const;

 private:
  void note_missing(const Node& node, const Level& level, OperandRef operand);
  bool is_float(ValueId value) const { return is_float_[static_cast<size_t>(value)]; }

  const Graph& graph_;
  const std::vector<bool>& is_float_;
  std::set<std::string> found_, missing_;  // "op_config.Conv.input7"
};

}  // namespace twofold

#endif  // TWOFOLD_SRC_PLAN_REFUSED_REQUESTS_H_
