// Partial execution: the values of one run are kept, so that what depends on a change can be run again alone.
#ifndef TWOFOLD_SRC_ENGINE_KEPT_VALUES_H_
#define TWOFOLD_SRC_ENGINE_KEPT_VALUES_H_

#include <cstddef>
#include <limits>
#include <map>
#include <vector>

#include "engine/executor.h"

namespace twofold {

// One run of an executor, which may be gone before it. Thread-safe as const: run_from may be called by several threads
// at once. What runs can be cancelled between nodes (base/cancellation.h).
class KeptValues {
 public:
  // Runs the whole graph once. Values are kept in the order they are computed, up to `memory_cap` bytes; what does not
  // fit is computed again where it is needed. Inputs are kept besides. Throws as Executor::run.
  KeptValues(const Executor& executor, std::vector<Tensor> inputs,
             size_t memory_cap = std::numeric_limits<size_t>::max());

  const std::vector<Tensor>& outputs() const { return outputs_; }
  size_t kept_bytes() const { return kept_bytes_; }

  // The graph that runs: value ids are those of the graph given, some of which fused nodes have swallowed.
  const Graph& graph() const;
  // Whether run_from may change the value: an input, or what a node computes on its own.
  bool is_changeable(ValueId id) const;
  // A value of the run, in plain layout; computed again if it was not kept. REQUIRES: is_changeable(id).
  Tensor value(ValueId id) const;

  // The shape that the value had in the run. REQUIRES: is_changeable(id).
  const Shape& shape(ValueId id) const { return forms_[static_cast<size_t>(id)].shape; }

  // The outputs as they would be if `changed` had been computed so: the same bits as a whole run. Runs only the nodes
  // that depend on a changed value, and those whose results are needed and were not kept.
  // Throws Error(kInvalidArgument) for a value that is not changeable (inside a fused node: see
  // ExecutorOptions::watched) or a tensor of another type or shape than it had; what nodes throw.
  std::vector<Tensor> run_from(const std::map<ValueId, Tensor>& changed) const;

  // How many nodes run_from runs for a change of these values.
  int64_t nodes_to_run(const std::vector<ValueId>& changed) const;

 private:
  struct Schedule;
  // What the values of a run were like, also of those that were dropped.
  struct Form {
    DType dtype = DType::kUndefined;
    Shape shape;
  };

  // `dirty` = dependents(changed).
  Schedule schedule(const std::vector<bool>& changed, const std::vector<bool>& dirty,
                    const std::vector<ValueId>& targets) const;
  std::vector<bool> marked(const std::vector<ValueId>& changed) const;
  // What is changed or depends on a change.
  std::vector<bool> dependents(std::vector<bool> changed) const;
  std::vector<ValueId> dirty_outputs(const std::vector<bool>& dirty) const;
  std::vector<ValueId> output_values() const;
  void check_form(ValueId id, const Tensor& tensor) const;
  // Runs the steps of a schedule on kept values and changes; `targets` are there afterwards.
  std::vector<Tensor> execute(const Schedule& schedule, const std::map<ValueId, Tensor>& changed,
                              const std::vector<ValueId>& targets) const;

  std::shared_ptr<Executor::Program> program_;
  std::vector<Tensor> kept_;  // by ValueId; undefined where dropped
  std::vector<Form> forms_;   // by ValueId
  std::vector<Tensor> outputs_;
  size_t kept_bytes_ = 0;
};

}  // namespace twofold

#endif  // TWOFOLD_SRC_ENGINE_KEPT_VALUES_H_
