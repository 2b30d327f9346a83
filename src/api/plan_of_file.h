// A plan file for a model that is there.
#ifndef TWOFOLD_SRC_API_PLAN_OF_FILE_H_
#define TWOFOLD_SRC_API_PLAN_OF_FILE_H_

#include <filesystem>

#include "graph/graph.h"
#include "plan/plan.h"

namespace twofold {

// Reads a decided plan and checks that it is one of the graph; `by_name`: carries over what fits it. The plan is for
// the graph with its equalizations. Throws Error naming the file, or the nodes that differ.
Plan plan_of_file(const std::filesystem::path& path, const Graph& graph, bool by_name = false);

}  // namespace twofold

#endif  // TWOFOLD_SRC_API_PLAN_OF_FILE_H_
