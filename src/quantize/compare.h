// Two models on the same samples, tensor by tensor.
#ifndef TWOFOLD_SRC_QUANTIZE_COMPARE_H_
#define TWOFOLD_SRC_QUANTIZE_COMPARE_H_

#include <functional>
#include <string>
#include <vector>

#include "data/dataset.h"
#include "graph/graph.h"
#include "numeric/metrics.h"
#include "quantize/agreement.h"

namespace twofold {

struct TensorComparison {
  std::string tensor;  // its name in the reference
  std::string node;    // that computes it there
  std::string op_type;
  MetricMeans metrics;
  Agreement agreement;
  std::optional<float> step;  // of the other model's integers, where it has the tensor as integers with one scale
};

struct Comparison {
  std::vector<TensorComparison> outputs;  // in the order of the reference's outputs
  std::vector<TensorComparison> tensors;  // computed in both models under one name, in graph order
};

struct CompareOptions {
  int threads = 0;
  int64_t max_samples = 0;  // 0: all
  bool inner_tensors = true;
  bool ec_in_two_passes = false;  // in the other graph
  std::function<void(int64_t done, int64_t total)> progress = nullptr;
};

// Runs both graphs, lowered, on the samples, which are of the reference's inputs. Inputs and outputs are matched by
// name, those that are left in order. Memory: the compared tensors of one sample. Throws Error(kInvalidArgument) if the
// numbers of inputs or outputs or the shapes of outputs differ.
Comparison compare(const Graph& reference, const Graph& other, const Dataset& data, const CompareOptions& options = {});

// The elements of a tensor of any number type as float32, in the layout they have.
Tensor as_float(const Tensor& tensor);

}  // namespace twofold

#endif  // TWOFOLD_SRC_QUANTIZE_COMPARE_H_
