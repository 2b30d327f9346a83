// Trying weights: what a layer's output becomes with other values of its weight, measured over samples.
#ifndef TWOFOLD_SRC_QUANTIZE_WEIGHT_VARIANTS_H_
#define TWOFOLD_SRC_QUANTIZE_WEIGHT_VARIANTS_H_

#include <vector>

#include "data/dataset.h"
#include "graph/graph.h"
#include "numeric/metrics.h"

namespace twofold {

// Other values for the constant input 1 of a Gemm-type node, and something to add to its bias.
struct WeightVariant {
  NodeId node = kNone;
  Tensor weight;             // float32, of the original's shape
  std::vector<float> shift;  // per output channel; empty: nothing. Not for MatMul.
};

// The node's output y with its own weight against y' with the variant's, on the float model's inputs of the node.
struct VariantError {
  MetricMeans metrics;
  // Mean of y - y' per output channel: what a bias would have to add. Empty for MatMul, and where nobody asks for it.
  std::vector<double> channel_shift;
};

// One result per variant, in order. The first `max_samples` samples (0: all) are run, each once, with all variants;
// memory: one sample's activations. Same bits for any number of threads but for oneDNN's float sums.
std::vector<VariantError> measure_variants(const Graph& graph, const std::vector<WeightVariant>& variants,
                                           const Dataset& data, int64_t max_samples, int threads, bool with_shifts);

}  // namespace twofold

#endif  // TWOFOLD_SRC_QUANTIZE_WEIGHT_VARIANTS_H_
