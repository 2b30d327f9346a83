// The steps of post-training quantization on a graph, between import and export.
#ifndef TWOFOLD_SRC_QUANTIZE_QUANTIZE_GRAPH_H_
#define TWOFOLD_SRC_QUANTIZE_QUANTIZE_GRAPH_H_

#include "data/dataset.h"
#include "graph/graph.h"
#include "plan/config.h"
#include "plan/plan.h"
#include "twofold/quantize.h"

namespace twofold {

// Samples that searches and the choice of rounding run on; calibration itself sees all.
inline constexpr int64_t kSearchSamples = 8;

// Calls `stage` around each step so that a caller can time it.
using StageScope = std::function<void(std::string_view stage, const std::function<void()>& step)>;

// Quantizes `graph` (float, after passes) as `plan` says: calibrates on `data`, chooses rounding, corrects biases,
// searches ranges and applies. Completes `plan` with the parameters..
Graph quantize_graph(const Graph& graph, const Dataset& data, const QuantConfig& config, int threads,
                     const Progress& progress, const StageScope& stage, Plan& plan);

}  // namespace twofold

#endif  // TWOFOLD_SRC_QUANTIZE_QUANTIZE_GRAPH_H_
