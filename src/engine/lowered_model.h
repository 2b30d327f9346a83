// A graph made ready to run on integers, whose tensors can still be read and changed by the names they had before
// lowering.
#ifndef TWOFOLD_SRC_ENGINE_LOWERED_MODEL_H_
#define TWOFOLD_SRC_ENGINE_LOWERED_MODEL_H_

#include <functional>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "engine/executor.h"
#include "engine/kept_values.h"
#include "engine/lower.h"
#include "graph/graph.h"

namespace twofold {

struct LoweredModelOptions {
  int threads = 0;  // 0: all cores
  // Tensors that can be read and changed. They cost some speed; the results are the same to the bit.
  std::vector<std::string> watched = {};
  // Tensors that can be read where lowering leaves something of them.
  std::set<std::string> observed = {};
  bool ec_in_two_passes = false;  // as LowerOptions'
  bool profile = false;           // as ExecutorOptions'
};

// Thread-safe as const.
class LoweredModel {
 public:
  // Called with the name and the real numbers (float32, in the layout they have) of a tensor that is watched or
  // observed.
  using OnTensor = std::function<void(const std::string& name, const Tensor& real)>;

  // Lowers `graph`, which has been simplified. Throws Error(kInvalidArgument) naming a watched tensor that cannot be,
  // and as Executor.
  explicit LoweredModel(Graph graph, const LoweredModelOptions& options = {});
  LoweredModel(const LoweredModel&) = delete;
  LoweredModel& operator=(const LoweredModel&) = delete;

  // What runs. Of its constants only types and shapes are there: the executor holds them as kernels want them.
  const Graph& graph() const { return graph_; }
  const std::vector<PassReport>& passes() const { return lowering_.passes; }
  const FloatReasons& reasons() const { return lowering_.reasons; }
  const Executor& executor() const { return *executor_; }

  // The tensors that can be changed, by name: those watched, and the inputs.
  const std::map<std::string, WatchedTensor>& watched() const { return lowering_.held; }
  // Names of the tensors that `run` hands out: those watched, and of those to be observed the ones that are there.
  std::set<std::string> readable() const;
  // The scale of a readable tensor that is handed out as integers stand for it; nothing for others.
  std::optional<float> step(const std::string& name) const;

  // Inputs and outputs in the graph's order.
  std::vector<Tensor> run(const std::vector<Tensor>& inputs, const OnTensor& on_tensor = nullptr) const;

  // A run that is kept, for runs from the middle: on what `changes` gives.
  KeptValues keep(std::vector<Tensor> inputs, size_t memory_cap = std::numeric_limits<size_t>::max()) const {
    return {*executor_, std::move(inputs), memory_cap};
  }
  // A watched tensor of a kept run: itself, or what its finest integers stand for. REQUIRES: it is in watched().
  Tensor value(const KeptValues& run, const std::string& name) const;
  // What has to change in a kept run where tensors come out so. Of an element that is given as value() gives it, all
  // integers stay those of the run: they are quantized from exact sums, which one float32 number may not tell.
  // Throws Error(kInvalidArgument) for a tensor of another type or shape. REQUIRES: names in watched().
  std::map<ValueId, Tensor> changes(const KeptValues& run, const std::map<std::string, Tensor>& changed) const;
  // The values that stand for a watched tensor. REQUIRES: it is in watched().
  std::vector<ValueId> values(const std::string& name) const;

 private:
  struct Readable {
    std::string name;
    std::optional<IntegerForm> form;  // where the value is integers of the tensor
  };

  void add_readable(const std::string& name, ValueId real, const std::optional<IntegerForm>& form);
  std::vector<ValueId> executor_values() const;

  Graph graph_;
  Lowering lowering_;
  std::multimap<ValueId, Readable> readable_;
  std::unique_ptr<const Executor> executor_;
};

}  // namespace twofold

#endif  // TWOFOLD_SRC_ENGINE_LOWERED_MODEL_H_
