#include "quantize/trials.h"

#include <algorithm>

#include "base/check.h"
#include "engine/lower.h"

namespace twofold {

namespace {

// The best that the mean over `total` tensors can become when the first ones came out so: the rest without an error,
// added up one by one, as they would be, so that rounding cannot make the real sum better. NaN stays; nothing bounds
// sqnr.
std::optional<double> best_possible(Metric metric, const MetricMeans& so_far, uint64_t total) {
  if (metric == Metric::kSqnr) return std::nullopt;
  double sum = so_far.sum(metric);
  if (metric == Metric::kCosineSimilarity) {
    for (uint64_t i = so_far.num_samples(); i < total; ++i) sum += 1;
  }
  return sum / static_cast<double>(total);
}

}  // namespace

Trials::Trials(CalibratedModel& model, const Options& options)
    : model_(model),
      runs_({.threads = options.threads > 0 ? options.threads : model.threads(),
             .memory_cap = options.memory_cap,
             .keep_from = options.keep_from}) {}

void Trials::prepare(std::vector<OperandQuantization> operands) {
  if (!prepare_part(operands)) prepare_whole(operands);
  last_ = std::move(operands);
}

void Trials::prepare_whole(const std::vector<OperandQuantization>& operands) {
  Graph quantized = model_.graph();
  apply_quantization(quantized, operands, model_.weights());
  prepare(std::move(quantized));
}

// Whether there is one.
bool Trials::prepare_part(const std::vector<OperandQuantization>& operands) {
  std::optional<GraphParts::Part> part = parts_ == nullptr ? std::nullopt : parts_->of(operands);
  if (!part) return false;
  std::vector<OperandQuantization> of_part = operands;
  for (OperandQuantization& operand : of_part) operand.node -= part->first;
  apply_quantization(part->graph, of_part, model_.weights());
  lower(part->graph);
  last_variant_ = runs_.prepare_part(std::move(part->graph), std::move(part->inputs));
  last_is_part_ = true;
  return true;
}

void Trials::find_parts() {
  const Graph& graph = model_.graph();
  std::vector<std::optional<ContentHash>> keys(static_cast<size_t>(graph.num_values()));
  for (size_t i = 0; i < graph.inputs.size(); ++i) {
    keys[static_cast<size_t>(graph.inputs[i])] = StructuralKeys::of_input(i);
  }
  for (ValueId id = 0; id < graph.num_values(); ++id) {
    if (graph.producer(id) == kNone) continue;
    keys[static_cast<size_t>(id)] = runs_.kept_key(graph.value(id).name, model_.samples().size());
  }
  parts_ = std::make_shared<GraphParts>(graph, std::move(keys));
}

void Trials::prepare(Graph variant) {
  lower(variant);
  last_variant_ = runs_.prepare(std::move(variant));
  last_is_part_ = false;
}

std::vector<Tensor> Trials::run(size_t sample) {
  return runs_.run(*last_variant_, sample, model_.samples().inputs(sample));
}

MetricMeans Trials::set_base(std::vector<OperandQuantization> operands) {
  parts_.reset();
  prepare(std::move(operands));
  runs_.set_base(last_variant_);
  base_ = std::move(last_);
  SearchSamples& samples = model_.samples();
  MetricMeans means;
  for (size_t i = 0; i < samples.size(); ++i) samples.add_errors(i, run(i), means);
  last_variant_.reset();
  if (base_.empty()) find_parts();
  return means;
}

std::vector<OperandQuantization> Trials::changed(const std::vector<OperandChange>& changes) const {
  std::vector<OperandQuantization> result = base_;
  for (const OperandChange& change : changes) {
    const auto it = std::ranges::find_if(result, [&](const OperandQuantization& planned) {
      return planned.node == change.node && planned.operand == change.operand;
    });
    if (!change.params) {
      if (it != result.end()) result.erase(it);
      continue;
    }
    OperandQuantization operand{change.node, change.operand, *change.params, change.rounding, change.bias_shift};
    if (it == result.end()) {
      result.push_back(std::move(operand));
    } else {
      *it = std::move(operand);
    }
  }
  return result;
}

std::optional<MetricMeans> Trials::measure(std::vector<OperandQuantization> operands, Metric metric,
                                           std::optional<double> to_beat) {
  prepare(std::move(operands));
  SearchSamples& samples = model_.samples();
  MetricMeans means;
  const uint64_t total = samples.size() * model_.graph().outputs.size();
  for (size_t i = 0; i < samples.size(); ++i) {
    samples.add_errors(i, run(i), means);
    if (!to_beat || i + 1 == samples.size()) continue;
    const std::optional<double> possible = best_possible(metric, means, total);
    if (possible && !better(metric, *possible, *to_beat)) {
      last_variant_.reset();
      return std::nullopt;
    }
  }
  return means;
}

std::vector<std::vector<ErrorSums>> Trials::errors(std::vector<OperandQuantization> operands) {
  prepare(std::move(operands));
  return errors_of_last();
}

std::vector<std::vector<ErrorSums>> Trials::errors(Graph variant) {
  prepare(std::move(variant));
  return errors_of_last();
}

std::vector<std::vector<ErrorSums>> Trials::errors_of_last() {
  SearchSamples& samples = model_.samples();
  std::vector<std::vector<ErrorSums>> errors;
  for (size_t i = 0; i < samples.size(); ++i) errors.push_back(samples.errors(i, run(i)));
  return errors;
}

void Trials::accept() {
  TWOFOLD_CHECK(last_variant_ != nullptr);
  if (last_is_part_) prepare_whole(last_);
  parts_.reset();
  runs_.set_base(last_variant_);
  base_ = std::move(last_);
  for (size_t i = 0; i < model_.samples().size(); ++i) run(i);
  last_variant_.reset();
}

}  // namespace twofold
