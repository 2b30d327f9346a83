// Runs a graph forward and backward.
#ifndef TWOFOLD_TESTS_GRADIENTS_SWEEP_H_
#define TWOFOLD_TESTS_GRADIENTS_SWEEP_H_

#include <map>
#include <mutex>
#include <set>
#include <vector>

#include "engine/executor.h"
#include "gradients/backward.h"

namespace twofold {

// All values of one run.
inline std::map<ValueId, Tensor> forward_values(const Graph& graph, const std::vector<Tensor>& inputs) {
  ExecutorOptions options{.threads = 1, .watched = {}};
  for (ValueId id = 0; id < graph.num_values(); ++id) options.watched.push_back(id);
  std::map<ValueId, Tensor> values;
  Executor(graph, options).run(inputs, [&](ValueId id, const Tensor& tensor) { values[id] = tensor; });
  return values;
}

struct Sweep {
  Backward backward;
  std::map<ValueId, Tensor> gradients;
};

// The gradients of Σ cotangents * outputs.
inline Sweep sweep(const Graph& forward, const std::map<ValueId, Tensor>& values, const std::vector<Tensor>& cotangents,
                   const std::set<ValueId>& wanted = {}) {
  std::map<ValueId, Shape> shapes;
  for (const auto& [id, tensor] : values) shapes[id] = tensor.shape();
  Sweep result{backward_of(forward, shapes, wanted), {}};
  std::vector<Tensor> inputs;
  for (const ValueId id : result.backward.forward) inputs.push_back(values.at(id));
  inputs.insert(inputs.end(), cotangents.begin(), cotangents.end());
  const std::vector<Tensor> outputs = Executor(result.backward.graph, {.threads = 1, .watched = {}}).run(inputs);
  for (const auto& [id, position] : result.backward.gradients) result.gradients[id] = outputs[position];
  return result;
}

}  // namespace twofold

#endif  // TWOFOLD_TESTS_GRADIENTS_SWEEP_H_
