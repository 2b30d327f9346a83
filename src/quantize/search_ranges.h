// Choosing how ranges are found where the config leaves it open, by what comes out of the quantized model.
#ifndef TWOFOLD_SRC_QUANTIZE_SEARCH_RANGES_H_
#define TWOFOLD_SRC_QUANTIZE_SEARCH_RANGES_H_

#include <functional>

#include "data/dataset.h"
#include "graph/graph.h"
#include "numeric/metrics.h"
#include "plan/plan.h"
#include "quantize/decide.h"
#include "quantize/scale_groups.h"

namespace twofold {

struct RangeSearchOptions {
  Metric metric = Metric::kCosineSimilarity;
  // False: one choice for all open operands of the model. True: starting from the best of those, node by node.
  bool layerwise = false;
  int64_t samples = 8;  // the quantized model runs on the first so many
  int threads = 0;
  std::function<void(int64_t done, int64_t total)> progress = nullptr;
};

// Decides the parameters of every activation of the plan; those of constants are decided before. Each choice that an
// operand leaves open is tried by quantizing `graph` and running it on integers; the best by the metric (over all
// outputs) stays. `reference` is the float model that outputs are compared with: `graph` itself, or the same before its
// biases were corrected. Cost: one run over the samples per distinct choice; layerwise, per node and choice.
void search_ranges(const Graph& reference, const Graph& graph, const ScaleGroups& groups,
                   const GroupStatistics& statistics, const Dataset& data, const RangeSearchOptions& options,
                   Plan& plan);

}  // namespace twofold

#endif  // TWOFOLD_SRC_QUANTIZE_SEARCH_RANGES_H_
