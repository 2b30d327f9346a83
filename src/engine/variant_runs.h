// Runs variants of one model on the same samples. What a variant computes as the base did is not computed again: values
// are known by what they are computed from (graph/structural_keys.h), so that two graphs which were made independently
// of one another share all that they have in common, kernels with packed weights included.
#ifndef TWOFOLD_SRC_ENGINE_VARIANT_RUNS_H_
#define TWOFOLD_SRC_ENGINE_VARIANT_RUNS_H_

#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "base/content_hash.h"
#include "engine/executor.h"
#include "engine/kernel_cache.h"

namespace twofold {

// What has been done so far.
struct VariantCounters {
  int64_t variants = 0;      // graphs made ready to run
  int64_t kernels_made = 0;  // of their nodes, those whose kernel the base did not have
  int64_t nodes_run = 0;     // over all samples
  int64_t nodes_reused = 0;  // not run, because the base had their results or nobody needed them

  VariantCounters& operator+=(const VariantCounters& other) {
    variants += other.variants;
    kernels_made += other.kernels_made;
    nodes_run += other.nodes_run;
    nodes_reused += other.nodes_reused;
    return *this;
  }
};

// Not thread-safe, but a copy, which shares what the base keeps, may be used by another thread.
class VariantRuns {
 public:
  // One graph ready to run.
  class Variant;

  struct Options {
    int threads = 0;
    // Bytes of values that the base keeps over all samples. What does not fit is computed again.
    size_t memory_cap = std::numeric_limits<size_t>::max();
    // Bytes from which on a value is kept at all.
    size_t keep_from = 0;
  };

  explicit VariantRuns(const Options& options);
  ~VariantRuns();
  VariantRuns(const VariantRuns&) = default;
  VariantRuns& operator=(const VariantRuns&) = delete;

  // `lowered` must have the inputs that every other variant has. Throws as Executor.
  std::shared_ptr<Variant> prepare(Graph lowered);
  // Of a variant only what lies behind values of the base: `inputs` are the keys of its inputs, all of which the base
  // keeps (kept_key()) or has as inputs itself (StructuralKeys::of_input()). It has all outputs of the others.
  std::shared_ptr<Variant> prepare_part(Graph lowered, std::vector<ContentHash> inputs);
  // The outputs for sample `sample`, whose inputs these are: the same bits as an Executor's. Throws as Executor::run.
  std::vector<Tensor> run(Variant& variant, size_t sample, const std::vector<Tensor>& inputs);
  // Makes a variant the base. Values that it has in common with the base before it stay; what runs of it compute from
  // here on is kept.
  void set_base(std::shared_ptr<Variant> variant);
  // The key of the base's value of this name, where the first `samples` samples all keep it.
  std::optional<ContentHash> kept_key(std::string_view name, size_t samples) const;

  const VariantCounters& counters() const { return counters_; }

 private:
  using Values = std::map<ContentHash, Tensor>;  // of one sample

  const Tensor* find(size_t sample, const ContentHash& key) const;
  void keep(size_t sample, const ContentHash& key, const Tensor& value);
  std::shared_ptr<Variant> make(Graph lowered, std::vector<ContentHash> part_inputs);
  std::vector<bool> steps_to_run(const Variant& variant, size_t sample) const;

  const Options options_;
  ProgramCache cache_;
  std::shared_ptr<Variant> base_;  // keeps its kernels
  std::vector<Values> kept_;       // by sample
  size_t kept_bytes_ = 0;
  VariantCounters counters_;
};

}  // namespace twofold

#endif  // TWOFOLD_SRC_ENGINE_VARIANT_RUNS_H_
