// Lists of rewrites: what simplification (passes/pipeline.h) and lowering (engine/lower.h) are.
#ifndef TWOFOLD_SRC_PASSES_PASS_LIST_H_
#define TWOFOLD_SRC_PASSES_PASS_LIST_H_

#include <functional>
#include <string_view>
#include <vector>

#include "graph/graph.h"

namespace twofold {

struct Pass {
  std::string_view name;
  std::function<int(Graph& graph)> run;  // returns the number of rewrites
};

struct PassReport {
  std::string_view name;
  int rewrites = 0;    // 0: the pass left the graph as it was
  double seconds = 0;  // wall-clock, verification included
};

// One per pass, in order, with nothing done yet.
std::vector<PassReport> new_reports(const std::vector<Pass>& passes);

// Runs each pass once, in order, and adds what it did to its report. The graph is verified after each that changed
// something: throws Error(kInvalidModel) naming the pass that left a graph which breaks the rules. Returns the number
// of rewrites.
int run_each_once(const std::vector<Pass>& passes, Graph& graph, std::vector<PassReport>& reports);

}  // namespace twofold

#endif  // TWOFOLD_SRC_PASSES_PASS_LIST_H_
