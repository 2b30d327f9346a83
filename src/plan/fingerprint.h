// Tells whether a plan belongs to a graph: names, operators and edges count, weights do not.
#ifndef TWOFOLD_SRC_PLAN_FINGERPRINT_H_
#define TWOFOLD_SRC_PLAN_FINGERPRINT_H_

#include <span>
#include <string>
#include <vector>

#include "graph/graph.h"
#include "plan/plan.h"

namespace twofold {

// Every node in topological order.
std::vector<NodeFingerprint> fingerprint_nodes(const Graph& graph);

// 16 hexadecimal digits over all of them.
std::string fingerprint_hash(std::span<const NodeFingerprint> nodes);

// What is different, a sentence per node: missing, new, another operator, other inputs. Empty if nothing is.
std::vector<std::string> differences(const Plan& plan, const Graph& graph);

// Throws Error(kInvalidArgument) that lists the first ten differences, if there are any.
void check_same_model(const Plan& plan, const Graph& graph);

}  // namespace twofold

#endif  // TWOFOLD_SRC_PLAN_FINGERPRINT_H_
