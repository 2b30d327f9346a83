// Choosing how ranges are found where the config leaves it open, by what comes out of the quantized model.
#ifndef TWOFOLD_SRC_QUANTIZE_SEARCH_RANGES_H_
#define TWOFOLD_SRC_QUANTIZE_SEARCH_RANGES_H_

#include <functional>

#include "engine/variant_runs.h"
#include "numeric/metrics.h"
#include "plan/plan.h"
#include "quantize/calibrated_model.h"

namespace twofold {

struct RangeSearchOptions {
  Metric metric = Metric::kCosineSimilarity;
  // False: one choice for all open operands of the model. True: starting from the best of those, node by node.
  bool layerwise = false;
  // Bytes of a value from which on layer-wise trials take it from their base. Most trials end after a sample or two:
  // computing smaller ones again takes no longer than keeping them of all samples (docs/benchmarks.md).
  size_t keep_from = size_t{64} << 10;
  std::function<void(int64_t done, int64_t total)> progress = nullptr;
};

// What a search has cost.
struct RangeSearchCounters {
  int64_t tried = 0;    // choices that were measured, to the end or until they could no longer win
  int64_t skipped = 0;  // choices that are the same range as one that was measured
  VariantCounters runs;
};

// Decides the parameters of every activation of the plan; those of constants are decided before. Each choice that an
// operand leaves open is tried by quantizing the model and running it on integers on the search samples; the best by
// the metric (over all outputs) stays, of equals the first. Cost: one run over the samples per distinct choice;
// layerwise, per node and choice a run of what depends on the operand.
// REQUIRES: statistics of what the plan makes integers of (CalibratedModel::calibrate).
RangeSearchCounters search_ranges(CalibratedModel& model, const RangeSearchOptions& options, Plan& plan);

}  // namespace twofold

#endif  // TWOFOLD_SRC_QUANTIZE_SEARCH_RANGES_H_
