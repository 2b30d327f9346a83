// Tells whether a plan belongs to a graph: names, operators, edges, attributes and weights.
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

// Fills in what a plan remembers of the graph that it is for.
void remember_model(const Graph& graph, Plan& plan);

// Plan::content_hash of a plan for the graph.
std::string content_hash(const Graph& graph);

// A node that is not as the plan has it.
struct ModelDifference {
  std::string node;
  std::string what;           // a sentence: missing, new, another operator, other inputs, other weights or attributes
  bool only_content = false;  // the last of these
};
// In the order of the plan, then of the graph. Empty if nothing is different.
std::vector<ModelDifference> differences(const Plan& plan, const Graph& graph);

// Throws Error(kInvalidArgument) that lists the first ten differences, if there are any.
void check_same_model(const Plan& plan, const Graph& graph);

}  // namespace twofold

#endif  // TWOFOLD_SRC_PLAN_FINGERPRINT_H_
