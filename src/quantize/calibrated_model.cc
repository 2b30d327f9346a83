#include "quantize/calibrated_model.h"

#include <utility>

#include "base/error.h"
#include "calibrate/calibrate.h"
#include "plan/fingerprint.h"
#include "quantize/apply.h"
#include "quantize/decide.h"
#include "quantize/trials.h"

namespace twofold {

CalibratedModel::CalibratedModel(Graph graph, const Dataset* data, const Options& options)
    : graph_(std::move(graph)), data_(data), options_(options) {}

const Dataset& CalibratedModel::data(std::string_view purpose) const {
  if (data_ == nullptr) {
    throw_error(ErrorCode::kInvalidArgument,
                "there are no data {}: name them (--data on the command line), or set "
                "calibration_parameters.cal_data_dir in the config",
                purpose);
  }
  return *data_;
}

SearchSamples& CalibratedModel::samples() {
  if (!samples_) {
    samples_.emplace(graph_, data("to search ranges on (to search none, name one calibration_type)"),
                     options_.search_samples, options_.threads, options_.memory_cap);
  }
  return *samples_;
}

const std::map<ValueId, Shape>& CalibratedModel::shapes() {
  if (!shapes_.empty()) return shapes_;
  ExecutorOptions options{.threads = options_.threads};
  for (ValueId id = 0; id < graph_.num_values(); ++id) options.watched.push_back(id);
  const Executor executor(graph_, options);
  executor.run(samples().inputs(0), [this](ValueId id, const Tensor& tensor) { shapes_[id] = tensor.shape(); });
  return shapes_;
}

void CalibratedModel::calibrate(const Plan& plan, const OnSample& progress) {
  std::vector<ValueRequest> missing = observation_requests(graph_, plan, ScaleGroups(graph_, plan));
  std::erase_if(missing, [this](const ValueRequest& request) {
    const auto it = statistics_.find(request.value);
    return it != statistics_.end() && it->second.level() >= request.level;
  });
  if (missing.empty()) return;
  if (!observes_) throw_missing(missing.front().value);
  CalibrationResult seen = twofold::calibrate(graph_, data("to calibrate with"), missing,
                                              {.threads = options_.threads, .progress = progress});
  ++counters_.calibrations;
  for (auto& [value, statistics] : seen.statistics) statistics_.insert_or_assign(value, std::move(statistics));
}

ModelStatistics CalibratedModel::observe(const OnSample& progress) {
  ModelStatistics seen = observe_model(graph_, data("to calibrate with"), content_hash(graph_),
                                       {.threads = options_.threads, .progress = progress});
  ++counters_.calibrations;
  take(seen);
  return seen;
}

void CalibratedModel::set_statistics(const ModelStatistics& statistics) {
  if (const std::string hash = content_hash(graph_); hash != statistics.model_hash) {
    throw_error(ErrorCode::kInvalidArgument,
                "the statistics are of another model: of content {}, and this one is {}; make them again",
                statistics.model_hash, hash);
  }
  take(statistics);
}

void CalibratedModel::take(const ModelStatistics& statistics) {
  statistics_.clear();
  refused_.clear();
  observes_ = false;
  for (const auto& [name, seen] : statistics.tensors) statistics_.emplace(graph_.find_value(name), seen);
  for (const auto& [name, why] : statistics.refused) refused_.emplace(graph_.find_value(name), why);
}

void CalibratedModel::throw_missing(ValueId value) const {
  const auto refused = refused_.find(value);
  throw_error(ErrorCode::kInvalidArgument, "tensor '{}' is to be quantized, but the statistics {}",
              graph_.value(value).name,
              refused == refused_.end() ? "have none of it" : "say of it that it " + refused->second);
}

Graph CalibratedModel::apply(const Plan& plan) {
  Graph graph = graph_;
  apply_quantization(graph, decided_operands(graph, plan), weights_);
  graph.compact();
  return graph;
}

MetricMeans CalibratedModel::evaluate(const Plan& plan) {
  Trials trials(*this, {.memory_cap = 0});
  return *trials.measure(decided_operands(graph_, plan), Metric::kCosineSimilarity);
}

}  // namespace twofold
