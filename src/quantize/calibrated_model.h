// A float model that has seen its data: opened once, and asked by everything that decides about precisions.
#ifndef TWOFOLD_SRC_QUANTIZE_CALIBRATED_MODEL_H_
#define TWOFOLD_SRC_QUANTIZE_CALIBRATED_MODEL_H_

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "calibrate/calibrate.h"
#include "calibrate/model_statistics.h"
#include "data/dataset.h"
#include "graph/graph.h"
#include "numeric/metrics.h"
#include "plan/plan.h"
#include "quantize/plan_request.h"
#include "quantize/ranges.h"
#include "quantize/search_samples.h"
#include "quantize/weight_cache.h"

namespace twofold {

// Samples that searches and the choice of rounding run on; calibration itself sees all.
inline constexpr int64_t kSearchSamples = 8;

// What has been done, for tests and reports.
struct CalibratedModelCounters {
  int64_t calibrations = 0;  // passes over the data
};

// Holds what does not depend on a plan: the simplified graph, statistics of its tensors, the search samples with what
// the float model makes of them, and the integers of weights. Not thread-safe.
class CalibratedModel {
 public:
  struct Options {
    int threads = 0;  // 0: all cores
    int64_t search_samples = kSearchSamples;
    size_t memory_cap = size_t{1} << 30;  // bytes of samples and references that are kept
  };

  // `graph` is float, after passes. `data`, which must outlive the object, may be missing where nothing asks for it.
  CalibratedModel(Graph graph, const Dataset* data, const Options& options);
  CalibratedModel(const CalibratedModel&) = delete;
  CalibratedModel& operator=(const CalibratedModel&) = delete;

  const Graph& graph() const { return graph_; }
  int threads() const { return options_.threads; }
  // Throws Error(kInvalidArgument) "there are no data <purpose>: ..." where there are none.
  const Dataset& data(std::string_view purpose) const;
  bool has_data() const { return data_ != nullptr; }
  SearchSamples& samples();
  WeightCache& weights() { return weights_; }
  // The shape that every value has in the first sample, constants among them.
  const std::map<ValueId, Shape>& shapes();

  // From here on the graph is the equalized one (quantize/equalize.h), of which nothing is calibrated yet; ids and all
  // outputs stay. To be called once. Throws as equalize() does.
  void equalize(const std::vector<Equalization>& equalizations);
  const std::vector<Equalization>& equalizations() const { return origin_.equalizations; }
  // A plan for graph(). What it remembers of the model is what that was before it was equalized. Throws as resolve().
  Plan resolved(const PlanRequest& request) const;

  // Statistics of what the plan makes integers of; what is there already is not observed again. False where refused()
  // has some of it: then the plan cannot be (quantize/calibrate_plan.h). Throws Error as calibrate() does, and for
  // weights with NaN or infinity.
  using OnSample = std::function<void(int64_t done, int64_t total)>;
  bool calibrate(const Plan& plan, const OnSample& progress = nullptr);
  const ValueStatistics& statistics() const { return statistics_; }
  // Tensors that no range can be made of, by name, and why: "holds NaN in sample 3".
  const std::map<std::string, std::string>& refused() const { return refused_; }
  // Statistics of all tensors, enough for every plan, which take the place of those that were observed.
  ModelStatistics observe(const OnSample& progress = nullptr);
  // The same from elsewhere. Throws Error(kInvalidArgument) if they are of another model.
  void set_statistics(const ModelStatistics& statistics);
  // False where statistics of all tensors are there: one of the last two has been called.
  bool observes() const { return observes_; }
  const CalibratedModelCounters& counters() const { return counters_; }

  // The graph with Q/DQ as a decided plan says, and its ids as Graph::compact() leaves them.
  Graph apply(const Plan& plan);
  // The errors of the quantized model's outputs on the search samples, run on integers.
  MetricMeans evaluate(const Plan& plan);

 private:
  [[noreturn]] void throw_missing(ValueId value) const;
  void take(const ModelStatistics& statistics);
  void see_inputs(std::vector<ValueRequest>& requests) const;
  void see_constants(const Plan& plan);
  bool is_refused(ValueId value) const;

  Graph graph_;
  std::set<std::string> equalizers_;
  Plan origin_;  // what plans remember of the model, and its equalizations; empty without any
  const Dataset* const data_;
  const Options options_;
  ValueStatistics statistics_;
  bool observes_ = true;  // false: statistics are what was given
  std::map<std::string, std::string> refused_;
  std::set<ValueId> seen_constants_;
  std::optional<SearchSamples> samples_;
  std::map<ValueId, Shape> shapes_;
  WeightCache weights_;
  CalibratedModelCounters counters_;
};

}  // namespace twofold

#endif  // TWOFOLD_SRC_QUANTIZE_CALIBRATED_MODEL_H_
