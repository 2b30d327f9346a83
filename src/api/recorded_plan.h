// What a quantized file remembers of how it came about: the float model and the plan.
#ifndef TWOFOLD_SRC_API_RECORDED_PLAN_H_
#define TWOFOLD_SRC_API_RECORDED_PLAN_H_

#include <filesystem>
#include <string>

#include "graph/graph.h"
#include "plan/plan.h"

namespace twofold {

// Adds it to a quantized graph's metadata: "twofold.float_model", the name of the float model's file without folders,
// and "twofold.plan", the plan without what the file says itself, which is the scales of its weights.
void record_plan(const Plan& plan, const std::filesystem::path& float_model, Graph& quantized);

// The same from a file that was read, before any pass. Throws Error(kInvalidArgument) where there is no such record, or
// one that does not fit the graph; `path` names the file in messages.
struct RecordedPlan {
  std::string float_model;
  Plan plan;
};
RecordedPlan recorded_plan(const Graph& quantized, const std::filesystem::path& path);

// The float model that a quantized file was made of, with the file's equalizations, so that tensors of one name hold
// the same numbers; any other model as it is. Both after passes.
Graph equalized_as_recorded(Graph float_model, const Graph& quantized, const std::filesystem::path& path);

}  // namespace twofold

#endif  // TWOFOLD_SRC_API_RECORDED_PLAN_H_
