// The passes in their order.
#ifndef TWOFOLD_SRC_PASSES_PIPELINE_H_
#define TWOFOLD_SRC_PASSES_PIPELINE_H_

#include <vector>

#include "graph/graph.h"
#include "passes/pass_list.h"

namespace twofold {

// Simplifies a float graph, or one with Q/DQ, without changing what it computes but for float rounding. One report per
// pass, in order; passes open chances for each other, so the list runs until nothing changes and a report sums up all
// rounds. Bodies of If, Loop and Scan are simplified too. The graph is verified after every pass and compacted at the
// end: ids change, names of inputs and outputs do not.
std::vector<PassReport> run_passes(Graph& graph);

}  // namespace twofold

#endif  // TWOFOLD_SRC_PASSES_PIPELINE_H_
