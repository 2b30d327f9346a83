#include "quantize/adjust_weights.h"

#include <map>
#include <span>
#include <utility>
#include <vector>

#include "numeric/quantize_tensor.h"
#include "quantize/bias_shifts.h"
#include "quantize/weight_variants.h"
#include "quantize/weights.h"
#include "traits/gemm_type.h"

namespace twofold {

namespace {

// The real values that a weight has once it is quantized.
Tensor quantized_values(const Tensor& weight, const QParams& params, Rounding rounding) {
  if (params.qtype == QType::kEc || rounding == Rounding::kNearest) return fake_quantize(weight, params);
  return dequantize(quantize_weight(weight, params, rounding), params);
}

// A weight that is measured in the form it takes under a rounding.
struct Trial {
  const OperandPlan* operand;
  Rounding rounding;
};

const Tensor& weight_of(const Graph& graph, const Trial& trial) {
  return *graph.constant(graph.find_value(trial.operand->value));
}

// Consecutive trials whose weights take at most `limit` bytes together, or one that takes more.
std::vector<std::span<const Trial>> in_batches(const Graph& graph, std::span<const Trial> trials, size_t limit) {
  std::vector<std::span<const Trial>> batches;
  size_t begin = 0, bytes = 0;
  for (size_t i = 0; i < trials.size(); ++i) {
    const size_t more = weight_of(graph, trials[i]).byte_size();
    if (i > begin && bytes + more > limit) {
      batches.push_back(trials.subspan(begin, i - begin));
      begin = i;
      bytes = 0;
    }
    bytes += more;
  }
  if (begin < trials.size()) batches.push_back(trials.subspan(begin));
  return batches;
}

std::vector<WeightVariant> variants_of(const Graph& graph, std::span<const Trial> trials) {
  std::vector<WeightVariant> variants;
  for (const Trial& trial : trials) {
    variants.push_back({graph.find_node(trial.operand->node),
                        quantized_values(weight_of(graph, trial), *trial.operand->params, trial.rounding),
                        {}});
  }
  return variants;
}

bool is_constant_input1(const OperandPlan& operand) {
  return operand.is_weight && operand.operand == OperandRef::input(1) && is_gemm_type(operand.op_type);
}

// What is to be chosen from. 16 bits are rounded to the nearest unless a config has a list: the choice seldom matters
// there.
std::vector<Rounding> open_roundings(const OperandPlan& operand) {
  const bool is_int8 = operand.granted == QType::kInt8;
  if (!is_constant_input1(operand) || (!is_int8 && operand.granted != QType::kInt16)) return {};
  if (is_int8 && operand.weight.rounding.empty()) return {Rounding::kNearest, Rounding::kPreserveSum};
  return operand.weight.rounding.size() > 1 ? operand.weight.rounding : std::vector<Rounding>();
}

bool takes_constant_bias(const Graph& graph, const Node& node) {
  if (!takes_bias(node)) return false;
  const Tensor* bias = graph.constant(node.input(2));
  return node.input(2) == kNone || (bias != nullptr && bias->rank() == 1);
}

// Measures the weights without and with the mean error of their channels taken out; notes what makes outputs better.
int find_shifts(const Graph& graph, std::span<const Trial> trials, const Dataset& data, int samples, int threads,
                Plan& plan) {
  int found = 0;
  std::vector<WeightVariant> variants = variants_of(graph, trials);
  const std::vector<VariantError> before = measure_variants(graph, variants, data, samples, threads, true);
  for (size_t i = 0; i < variants.size(); ++i) {
    variants[i].shift.assign(before[i].channel_shift.begin(), before[i].channel_shift.end());
  }
  const std::vector<VariantError> after = measure_variants(graph, variants, data, samples, threads, true);
  for (size_t i = 0; i < variants.size(); ++i) {
    const Metric metric = trials[i].operand->weight.bias_correction->metric;
    if (!better(metric, after[i].metrics.mean(metric), before[i].metrics.mean(metric))) continue;
    plan.find(trials[i].operand->node, trials[i].operand->operand)->bias_shift = std::move(variants[i].shift);
    ++found;
  }
  return found;
}

}  // namespace

void choose_rounding(CalibratedModel& model, Plan& plan, size_t trial_bytes) {
  const Graph& graph = model.graph();
  std::vector<Trial> trials;
  for (const OperandPlan& operand : plan.operands()) {
    for (Rounding rounding : open_roundings(operand)) trials.push_back({&operand, rounding});
  }
  if (trials.empty()) return;
  const Dataset& data = model.data("to choose between roundings of weights on (to choose none, name one rounding)");
  const auto samples = static_cast<int64_t>(model.samples().size());
  std::map<const OperandPlan*, std::pair<double, Rounding>> best;
  for (const std::span<const Trial> batch : in_batches(graph, trials, trial_bytes)) {
    const std::vector<VariantError> errors =
        measure_variants(graph, variants_of(graph, batch), data, samples, model.threads(), false);
    for (size_t i = 0; i < batch.size(); ++i) {
      const double error = errors[i].metrics.mean(Metric::kMse);
      const auto [entry, first] = best.try_emplace(batch[i].operand, error, batch[i].rounding);
      if (!first && better(Metric::kMse, error, entry->second.first)) entry->second = {error, batch[i].rounding};
    }
  }
  for (const auto& [operand, choice] : best) {
    plan.find(operand->node, operand->operand)->weight.rounding = {choice.second};
  }
}

int correct_biases(CalibratedModel& model, Plan& plan, size_t trial_bytes) {
  // Nodes are measured together that ask for the same number of samples.
  std::map<int, std::vector<Trial>> by_samples;
  for (const OperandPlan& operand : plan.operands()) {
    if (!is_constant_input1(operand) || !operand.weight.bias_correction || !is_integer(operand.granted)) continue;
    if (!takes_constant_bias(model.graph(), model.graph().node(model.graph().find_node(operand.node)))) continue;
    const Rounding rounding = operand.weight.rounding.empty() ? Rounding::kNearest : operand.weight.rounding[0];
    by_samples[operand.weight.bias_correction->num_sample].push_back({&operand, rounding});
  }
  int count = 0;
  for (const auto& [samples, trials] : by_samples) {
    // With the biases that are corrected already.
    Graph graph = model.graph();
    shift_biases(plan, graph);
    const Dataset& data = model.data("to correct biases on");
    for (const std::span<const Trial> batch : in_batches(graph, trials, trial_bytes)) {
      count += find_shifts(graph, batch, data, samples, model.threads(), plan);
    }
  }
  return count;
}

}  // namespace twofold
