// Runs a graph: float operators, Q/DQ and lowered integer operators alike.
#ifndef TWOFOLD_SRC_ENGINE_EXECUTOR_H_
#define TWOFOLD_SRC_ENGINE_EXECUTOR_H_

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "graph/graph.h"
#include "ops/op.h"

namespace twofold {

struct ExecutorOptions {
  int threads = 0;  // 0: all cores
  // Values that on_value is told about; fusions that would skip one of them are not made.
  std::vector<ValueId> watched = {};
  bool profile = false;  // measure every node
};

// What one node has cost so far. A fused node stands under the name of the first of its nodes.
struct NodeProfile {
  std::string name, op_type;
  double seconds = 0;  // wall-clock, conversion of its inputs' layouts included
  int64_t calls = 0;
};

// What runs have taken so far.
struct MemoryUse {
  size_t peak_bytes = 0;    // most that tensors and working memory took at once, inputs not among them
  size_t packed_bytes = 0;  // constant weights as kernels have packed them, the graph's own not counted
};

// A graph made ready to run: kernels with prepared weights, in order, with the last use of every value known.
// Thread-safe: several threads may run one executor at once.
class Executor {
 public:
  struct Program;

  // Called with each watched value (inputs and constants too) as soon as it is there, in the layout it has.
  using OnValue = std::function<void(ValueId, const Tensor&)>;

  // Keeps of the graph what it needs: not the constants that kernels have packed for themselves. Throws
  // Error(kUnsupported) that lists every missing operator.
  explicit Executor(const Graph& graph, ExecutorOptions options = {});
  ~Executor();
  Executor(const Executor&) = delete;
  Executor& operator=(const Executor&) = delete;

  // `inputs` in the order of graph.inputs; returns the outputs in the order of graph.outputs, in plain layout.
  // Throws Error naming the node where something is wrong.
  std::vector<Tensor> run(const std::vector<Tensor>& inputs, const OnValue& on_value = nullptr) const;

  // In order of execution; empty unless ExecutorOptions::profile.
  std::vector<NodeProfile> profile() const;
  MemoryUse memory() const;

  // For KeptValues, which keeps it alive.
  const std::shared_ptr<Program>& program() const { return program_; }

 private:
  std::shared_ptr<Program> program_;
};

}  // namespace twofold

#endif  // TWOFOLD_SRC_ENGINE_EXECUTOR_H_
