// The samples that searches run on, and what the float model makes of them.
#ifndef TWOFOLD_SRC_QUANTIZE_SEARCH_SAMPLES_H_
#define TWOFOLD_SRC_QUANTIZE_SEARCH_SAMPLES_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

#include "data/dataset.h"
#include "engine/executor.h"
#include "graph/graph.h"
#include "numeric/metrics.h"

namespace twofold {

// Everything is read and computed when it is first asked for. Of inputs and references together, `memory_cap` bytes are
// kept; the rest is read and computed again. Thread-safe: who asks for what is not there yet makes the others wait.
class SearchSamples {
 public:
  // The first `count` samples of the data, or all. Keeps references to graph and data.
  SearchSamples(const Graph& graph, const Dataset& data, int64_t count, int threads, size_t memory_cap);

  size_t size() const { return samples_.size(); }
  std::vector<Tensor> inputs(size_t i);
  // The float model's outputs, as float32.
  std::vector<Tensor> references(size_t i);
  // How far each of a model's outputs for sample i is from the float model's.
  std::vector<ErrorSums> errors(size_t i, const std::vector<Tensor>& outputs);
  // Adds them, an entry per output.
  void add_errors(size_t i, const std::vector<Tensor>& outputs, MetricMeans& means);
  // How often the float model has run.
  int64_t float_runs() const { return float_runs_; }

 private:
  struct Sample {
    std::vector<Tensor> inputs, expected;  // empty: not kept; expected as float32
  };

  std::vector<Tensor> read_inputs(size_t i);
  bool keeps(const std::vector<Tensor>& tensors);

  const Graph& graph_;
  const Dataset& data_;
  const int threads_;
  std::mutex mutex_;  // of what follows
  size_t room_;
  std::unique_ptr<const Executor> executor_;
  std::vector<Sample> samples_;
  int64_t float_runs_ = 0;
};

}  // namespace twofold

#endif  // TWOFOLD_SRC_QUANTIZE_SEARCH_SAMPLES_H_
