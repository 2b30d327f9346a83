// From what the user asks and what the target can do to what every operand is to be.
#ifndef TWOFOLD_SRC_PLAN_RESOLVE_H_
#define TWOFOLD_SRC_PLAN_RESOLVE_H_

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "graph/graph.h"
#include "plan/config.h"
#include "plan/plan.h"
#include "plan/target.h"

namespace twofold {

// By op_type.
using KindPrecisions = std::map<std::string, QType>;

struct ResolveOptions {
  bool strict = false;                        // any fallback is an error
  std::string compiler_version = {};          // empty: the target's requirement is taken as met
  std::optional<FallbackPolicy> policy = {};  // absent: the target's
  // (node, operand) -> how sensitive; larger is worse. Decides which 16-bit input policy v1 keeps.
  std::map<std::pair<std::string, OperandRef>, double> sensitivity = {};
  // Tensor -> why no range can be made of it ("holds infinity in sample 3"): what reads it stays float32.
  std::map<std::string, std::string> without_range = {};
  // Names of the nodes of the input file, so that a config may name nodes that passes removed.
  std::vector<std::string> input_file_nodes = {};
  // Nodes that equalize channels (plan/equalization.h): they stay float32, and are no operands.
  std::set<std::string> equalizers = {};
  // Found by a search: the precision of operators that no config names, where it is not the model level's.
  KindPrecisions kinds = {};
};

// A pure function: the same arguments give the same plan. Priority: node, subgraph, op, model; inside one level, inputN
// before qtype. Every request of the config ends in the plan as granted, or with the reason why not.
// Throws Error(kNotFound) for names that match nothing, with the three nearest; Error(kInvalidArgument) for operands
// that a node does not have; Error(kUnsupported) for a compiler that is too old, and under `strict` with every
// fallback.
Plan resolve(const Graph& graph, const QuantConfig& config, const Target& target, const ResolveOptions& options = {});

// The kinds that a search has decided about in a plan.
KindPrecisions chosen_kinds(const Plan& plan);

}  // namespace twofold

#endif  // TWOFOLD_SRC_PLAN_RESOLVE_H_
