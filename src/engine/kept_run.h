// Partial execution: the values of one run are kept, so that what depends on a change can be run again alone.
#ifndef TWOFOLD_SRC_ENGINE_KEPT_RUN_H_
#define TWOFOLD_SRC_ENGINE_KEPT_RUN_H_

#include <cstddef>
#include <limits>
#include <map>
#include <vector>

#include "engine/executor.h"

namespace twofold {

// One run of an executor, which may be gone before it. Thread-safe as const: run_from may be called by several threads
// at once.
class KeptRun {
 public:
  // Runs the whole graph once. Values are kept in the order they are computed, up to `memory_cap` bytes; what does not
  // fit is computed again where it is needed. Inputs are kept besides. Throws as Executor::run.
  KeptRun(const Executor& executor, std::vector<Tensor> inputs, size_t memory_cap = std::numeric_limits<size_t>::max());

  const std::vector<Tensor>& outputs() const { return outputs_; }
  size_t kept_bytes() const { return kept_bytes_; }

  // The outputs as they would be if `changed` had been computed so: the same bits as a whole run. Runs only the nodes
  // that depend on a changed value, and those whose results are needed and were not kept.
  // Throws Error(kInvalidArgument) for a value that is a constant or that no node computes (one inside a fused node:
  // see ExecutorOptions::watched); what nodes throw.
  std::vector<Tensor> run_from(const std::map<ValueId, Tensor>& changed) const;

  // How many nodes run_from runs for a change of these values.
  int64_t nodes_to_run(const std::vector<ValueId>& changed) const;

 private:
  struct Plan;
  Plan plan(const std::vector<bool>& changed) const;
  std::vector<bool> marked(const std::vector<ValueId>& changed) const;

  std::shared_ptr<Executor::Program> program_;
  std::vector<Tensor> kept_;  // by ValueId; undefined where dropped
  std::vector<Tensor> outputs_;
  size_t kept_bytes_ = 0;
};

}  // namespace twofold

#endif  // TWOFOLD_SRC_ENGINE_KEPT_RUN_H_
