// How much of a model's error comes from each unit alone.
#ifndef TWOFOLD_SRC_DEBUG_SENSITIVITY_H_
#define TWOFOLD_SRC_DEBUG_SENSITIVITY_H_

#include <array>
#include <cstddef>
#include <functional>
#include <string>
#include <vector>

#include "debug/units.h"
#include "numeric/metrics.h"
#include "plan/plan.h"
#include "quantize/apply.h"
#include "quantize/calibrated_model.h"
#include "quantize/output_noise.h"
#include "twofold/debug_subject.h"
#include "twofold/job.h"

namespace twofold {

// A unit's errors: every output of the model, the unit alone quantized, against the float model's.
class Sensitivity {
 public:
  using Values = std::array<double, kAllMetrics.size()>;  // by Metric

  Sensitivity() = default;
  explicit Sensitivity(std::vector<std::vector<Values>> values) : values_(std::move(values)) {}

  // [sample][output].
  const std::vector<std::vector<Values>>& values() const { return values_; }
  // Of one output: the mean over the samples, and their deviation from it (0 of one sample).
  double mean(size_t output, Metric metric) const;
  double deviation(size_t output, Metric metric) const;
  // Energy of the error over that of the signal, 10^(-sqnr / 10), of the output where it is largest: the mean over the
  // samples. Of errors that have nothing to do with one another it adds up.
  double noise(const std::vector<size_t>& outputs) const;
  // The output, of those given by position, where the unit does most harm by the metric. REQUIRES: there is one.
  size_t worst_output(const std::vector<size_t>& outputs, Metric metric) const;

  // The mean over the samples of that output.
  double worst(const std::vector<size_t>& outputs, Metric metric) const {
    return mean(worst_output(outputs, metric), metric);
  }

  bool operator==(const Sensitivity&) const = default;

 private:
  std::vector<std::vector<Values>> values_;
};

// [sample][output], as Trials::errors gives them.
Sensitivity sensitivity_of(const std::vector<std::vector<ErrorSums>>& errors);

struct SensitivityOptions {
  int threads = 0;                   // 0: all cores. Units run side by side, each in one.
  size_t memory_cap = kDebugMemory;  // bytes of float values that are kept, over all samples
  // Called when a unit is done, in no order and by no two threads at once.
  std::function<void(size_t unit, const Sensitivity& sensitivity)> on_unit = nullptr;
};

// The operands of each unit, as the plan has decided them. REQUIRES: a decided plan.
std::vector<std::vector<OperandQuantization>> operands_of(const Graph& graph, const Plan& plan,
                                                          const std::vector<Unit>& units);

// The same options, with on_unit telling `progress`, where somebody listens, of `stage` how many of `total` are done.
SensitivityOptions counting(SensitivityOptions options, const Progress& progress, std::string stage, size_t total);

// One per unit, in order: what quantizing that unit as the plan says gives, to the bit, run on integers on the model's
// search samples. The float model's values are kept, as far as the memory goes; of a unit runs what depends on it.
// REQUIRES: a decided plan of the model. Throws Error(kCancelled) once the job is.
std::vector<Sensitivity> measure_sensitivity(CalibratedModel& model, const Plan& plan, const std::vector<Unit>& units,
                                             const SensitivityOptions& options = {});

// The same of operands that need not be a plan's: each list alone is quantized so.
std::vector<Sensitivity> measure_alone(CalibratedModel& model,
                                       const std::vector<std::vector<OperandQuantization>>& operands,
                                       const SensitivityOptions& options = {});

}  // namespace twofold

#endif  // TWOFOLD_SRC_DEBUG_SENSITIVITY_H_
