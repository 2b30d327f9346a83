#include "quantize/calibrated_model.h"

#include <algorithm>
#include <utility>

#include "base/cancellation.h"
#include "base/check.h"
#include "base/error.h"
#include "calibrate/calibrate.h"
#include "numeric/float_range.h"
#include "plan/fingerprint.h"
#include "quantize/apply.h"
#include "quantize/decide.h"
#include "quantize/equalize.h"
#include "quantize/observation_requests.h"
#include "quantize/trials.h"

namespace twofold {

CalibratedModel::CalibratedModel(Graph graph, const Dataset* data, const Options& options)
    : graph_(std::move(graph)), data_(data), options_(options) {}

const Dataset& CalibratedModel::data(std::string_view purpose) const {
  if (data_ == nullptr) {
    throw_error(ErrorCode::kInvalidArgument,
                "there are no data {}: name them (--data on the command line), or set "
                "calibration_parameters.cal_data_dir in the config (calibration_type: skip there takes random numbers)",
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

void CalibratedModel::equalize(const std::vector<Equalization>& equalizations) {
  if (equalizations.empty()) return;
  TWOFOLD_CHECK(observes_ && this->equalizations().empty());
  remember_model(graph_, origin_);
  origin_.equalizations = equalizations;
  const NodeId limit = graph_.node_limit();
  graph_ = twofold::equalize(graph_, equalizations);
  for (NodeId id = limit; id < graph_.node_limit(); ++id) equalizers_.insert(graph_.node(id).name);
  statistics_.clear();
  refused_.clear();
  // Copied constants and divided tensors are new values.
  seen_constants_.clear();
  shapes_.clear();
}

Plan CalibratedModel::resolved(const PlanRequest& request) const {
  ResolveOptions options = request.options;
  options.equalizers = equalizers_;
  Plan plan = resolve(graph_, request.config, request.target, options);
  if (!equalizations().empty()) {
    plan.model_hash = origin_.model_hash;
    plan.content_hash = origin_.content_hash;
    plan.nodes = origin_.nodes;
    plan.equalizations = origin_.equalizations;
  }
  return plan;
}

bool CalibratedModel::calibrate(const Plan& plan, const OnSample& progress) {
  const std::vector<ValueRequest> requests = observation_requests(graph_, plan);
  std::vector<ValueRequest> missing = requests;
  std::erase_if(missing, [this](const ValueRequest& request) {
    const auto it = statistics_.find(request.value);
    return is_refused(request.value) || (it != statistics_.end() && it->second.level() >= request.level);
  });
  if (!missing.empty()) {
    see_inputs(missing);
    if (!observes_) throw_missing(missing.front().value);
    CalibrationResult seen = twofold::calibrate(graph_, data("to calibrate with"), missing,
                                                {.threads = options_.threads, .progress = progress});
    ++counters_.calibrations;
    for (auto& [value, statistics] : seen.statistics) statistics_.insert_or_assign(value, std::move(statistics));
    for (auto& [value, why] : seen.refused) refused_.insert_or_assign(graph_.value(value).name, std::move(why));
  }
  see_constants(plan);  // after the data, which say better what a weight with NaN leads to
  return std::ranges::none_of(requests, [this](const ValueRequest& request) { return is_refused(request.value); }) &&
         std::ranges::none_of(plan.operands(), [this](const OperandPlan& operand) {
           return is_integer(operand.granted) && refused_.contains(operand.value);
         });
}

// Ranges of the model's inputs, for those who read reports (quantize/input_notes.h).
void CalibratedModel::see_inputs(std::vector<ValueRequest>& requests) const {
  for (const ValueId input : graph_.inputs) {
    if (graph_.value(input).type.dtype != DType::kFloat32 || statistics_.contains(input)) continue;
    requests.push_back({input, ObserveLevel::kMinMax});
  }
}

// Of the constants that get integers. Where a weight is not finite, nothing that is computed from it means anything.
void CalibratedModel::see_constants(const Plan& plan) {
  for (const OperandPlan& operand : plan.operands()) {
    if (!is_integer(operand.granted)) continue;
    const ValueId value = graph_.find_value(operand.value);
    const Tensor* constant = graph_.constant(value);
    if (constant == nullptr || constant->size() == 0 || !seen_constants_.insert(value).second) continue;
    throw_if_cancelled();
    if (float_range(constant->data<float>()).finite) continue;
    if (operand.is_weight) {
      throw_error(ErrorCode::kInvalidArgument, "node '{}' ({}) {} '{}': the weights hold NaN or infinity", operand.node,
                  operand.op_type, to_string(operand.operand), operand.value);
    }
    refused_.emplace(operand.value, "is a constant with NaN or infinity");
  }
}

bool CalibratedModel::is_refused(ValueId value) const { return refused_.contains(graph_.value(value).name); }

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
  observes_ = false;
  for (const auto& [name, seen] : statistics.tensors) statistics_.emplace(graph_.find_value(name), seen);
  refused_ = statistics.refused;
  seen_constants_.clear();
}

void CalibratedModel::throw_missing(ValueId value) const {
  throw_error(ErrorCode::kInvalidArgument, "tensor '{}' is to be quantized, but the statistics have none of it",
              graph_.value(value).name);
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
