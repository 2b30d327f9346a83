// Every unit's error at once, to first order: from what a unit does to the results of its own nodes, led to the outputs
// by backward sweeps.
#ifndef TWOFOLD_SRC_DEBUG_ESTIMATE_H_
#define TWOFOLD_SRC_DEBUG_ESTIMATE_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "debug/sensitivity.h"
#include "debug/units.h"
#include "plan/plan.h"
#include "quantize/calibrated_model.h"

namespace twofold {

// What an estimate gives: cosine-similarity, mse and sqnr.
bool can_be_estimated(Metric metric);

struct UnitEstimate {
  // One entry for all samples. mse and cosine-similarity are means over the samples; sqnr is that of the mean noise.
  // Other metrics, and outputs that were not asked for, are NaN.
  Sensitivity sensitivity;
  double noise = 0;  // as Sensitivity::noise
  double error = 0;  // standard error of the noise; 0 where it is known to first order
};

struct EstimateOptions {
  std::vector<size_t> outputs = {};            // of the model, by position: those that count
  Metric metric = Metric::kSqnr;               // that sorts
  size_t top = 40;                             // how many of the worst will be measured
  int64_t least_probes = 3, most_probes = 15;  // per output, over all samples
  int threads = 0;                             // 0: all cores. Sweeps run side by side, each in one.
  size_t memory_cap = kDebugMemory;            // bytes of float values that are kept; at least one sample's are
};

struct Estimates {
  // Per unit; nothing where the gradient does not tell what it does.
  std::vector<std::optional<UnitEstimate>> units;
  int64_t sweeps = 0;              // over all samples and outputs
  std::vector<std::string> notes;  // why there is nothing
};

// With e what the unit changes in the results of its nodes (exact, clipping and all) and J the derivative of an output
// y by these, y changes by Je to first order. For random signs v, <v, Je>^2 is |Je|^2 on average, and J'v, one backward
// sweep, serves all units (Hutchinson 1990). The part of Je along y, which cosine-similarity does not see, is exact:
// one more sweep with v = y. Outputs of at most 16 elements are swept once for each, and exact to first order.
//
// Probes are added until those left out, each two standard errors worse than its estimate, would add no more than 5 %
// to the error of the worse half of the `top` worst units. The same numbers for any number of threads. REQUIRES: a
// decided plan of the model. Throws Error(kCancelled) once the job is.
Estimates estimate_sensitivity(CalibratedModel& model, const Plan& plan, const std::vector<Unit>& units,
                               const EstimateOptions& options);

// The units to measure: those without an estimate, and the `count` worst of the others by the metric; ascending.
std::vector<size_t> units_to_confirm(const Estimates& estimates, const std::vector<size_t>& outputs, Metric metric,
                                     size_t count);

}  // namespace twofold

#endif  // TWOFOLD_SRC_DEBUG_ESTIMATE_H_
