// A graph made ready to run on integers, whose tensors can still be asked for by the names they had before lowering.
#ifndef TWOFOLD_SRC_QUANTIZE_RUNNABLE_H_
#define TWOFOLD_SRC_QUANTIZE_RUNNABLE_H_

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "engine/executor.h"
#include "engine/lower.h"
#include "engine/quantized_edge.h"
#include "graph/graph.h"

namespace twofold {

// Thread-safe as const.
class Runnable {
 public:
  // Called with the name and the real values (float32, plain layout) of a watched tensor.
  using OnTensor = std::function<void(const std::string& name, const Tensor& real)>;

  // Lowers a copy of `graph`. Of the tensors that are watched, those that lowering leaves only as integers are
  // dequantized, and those that it leaves no trace of (the input of a fused Relu) are dropped: see watched().
  Runnable(const Graph& graph, int threads, const LowerOptions& lowering = {});
  Runnable(const Runnable&) = delete;
  Runnable& operator=(const Runnable&) = delete;

  std::set<std::string> watched() const;
  // The scale of a watched tensor that is there as integers; nothing for others.
  std::optional<float> step(const std::string& name) const;
  // Inputs and outputs in the graph's order.
  std::vector<Tensor> run(const std::vector<Tensor>& inputs, const OnTensor& on_tensor = nullptr) const;

 private:
  struct Watched {
    std::string name;
    std::optional<QuantizedEdge> edge;  // set where the value is the integers of the tensor
  };

  Graph graph_;
  std::multimap<ValueId, Watched> watched_;
  std::unique_ptr<const Executor> executor_;
};

// The names of all float tensors that nodes of the graph compute, apart from those that only Q/DQ handle.
std::set<std::string> computed_tensors(const Graph& graph);

}  // namespace twofold

#endif  // TWOFOLD_SRC_QUANTIZE_RUNNABLE_H_
