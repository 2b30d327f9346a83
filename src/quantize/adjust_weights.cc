#include "quantize/adjust_weights.h"

#include <map>

#include "graph/gemm_type.h"
#include "numeric/ec.h"
#include "quantize/decide.h"
#include "quantize/weight_variants.h"
#include "quantize/weights.h"

namespace twofold {

namespace {

// The real values that a weight has once it is quantized.
Tensor quantized_values(const Tensor& weight, const QParams& params, Rounding rounding) {
  if (params.qtype != QType::kEc) return dequantize_weight(quantize_weight(weight, params, rounding), params);
  const EcWeight digits = quantize_ec_weight(weight, params);
  Tensor joined(DType::kInt16, weight.shape());
  ec_join(digits.first.data<int8_t>(), digits.second.data<int8_t>(), joined.mutable_data<int16_t>());
  QParams fine = params;
  for (float& scale : fine.scale) scale = ec_residual_scale(scale);
  return dequantize_weight(joined, fine);
}

WeightVariant variant_of(const Graph& graph, const OperandPlan& operand, Rounding rounding) {
  const Tensor& weight = *graph.constant(graph.find_value(operand.value));
  return {graph.find_node(operand.node), quantized_values(weight, *operand.params, rounding), {}};
}

bool is_constant_input1(const OperandPlan& operand) { return operand.is_weight && operand.operand == "input1"; }

std::vector<Rounding> open_roundings(const OperandPlan& operand) {
  if (!is_constant_input1(operand) || operand.granted != QType::kInt8 || operand.weight.rounding.size() == 1) return {};
  if (operand.weight.rounding.empty()) return {Rounding::kNearest, Rounding::kPreserveSum};
  return operand.weight.rounding;
}

bool takes_constant_bias(const Graph& graph, const Node& node) {
  if (!takes_bias(node)) return false;
  const Tensor* bias = graph.constant(node.input(2));
  return node.input(2) == kNone || (bias != nullptr && bias->rank() == 1);
}

void add_to_bias(Graph& graph, NodeId id, const std::vector<float>& shift) {
  const Node& node = graph.node(id);
  const std::string name = graph.unique_value_name(node.name + "_corrected_bias");
  graph.set_input(id, 2, graph.add_constant(name, shifted_bias(graph, node, shift)));
}

}  // namespace

void choose_rounding(const Graph& graph, const Dataset& data, int64_t max_samples, int threads, Plan& plan) {
  struct Trial {
    std::string node, operand;
    Rounding rounding;
  };
  std::vector<Trial> trials;
  std::vector<WeightVariant> variants;
  for (const OperandPlan& operand : plan.operands()) {
    for (Rounding rounding : open_roundings(operand)) {
      trials.push_back({operand.node, operand.operand, rounding});
      variants.push_back(variant_of(graph, operand, rounding));
    }
  }
  if (variants.empty()) return;
  const std::vector<VariantError> errors = measure_variants(graph, variants, data, max_samples, threads);
  std::map<std::string, double> best;
  for (size_t i = 0; i < trials.size(); ++i) {
    const double error = errors[i].metrics.mean(Metric::kMse);
    const auto [entry, first] = best.try_emplace(trials[i].node, error);
    if (!first && !better(Metric::kMse, error, entry->second)) continue;
    entry->second = error;
    plan.find(trials[i].node, trials[i].operand)->weight.rounding = {trials[i].rounding};
  }
}

int correct_biases(const Dataset& data, int threads, const Plan& plan, Graph& graph) {
  // Nodes are measured together that ask for the same number of samples.
  std::map<int, std::vector<const OperandPlan*>> by_samples;
  for (const OperandPlan& operand : plan.operands()) {
    if (!is_constant_input1(operand) || !operand.weight.bias_correction || !is_integer(operand.granted)) continue;
    if (takes_constant_bias(graph, graph.node(graph.find_node(operand.node)))) {
      by_samples[operand.weight.bias_correction->num_sample].push_back(&operand);
    }
  }
  int count = 0;
  for (const auto& [samples, operands] : by_samples) {
    std::vector<WeightVariant> variants;
    for (const OperandPlan* operand : operands) {
      const Rounding rounding = operand->weight.rounding.empty() ? Rounding::kNearest : operand->weight.rounding[0];
      variants.push_back(variant_of(graph, *operand, rounding));
    }
    const std::vector<VariantError> before = measure_variants(graph, variants, data, samples, threads);
    for (size_t i = 0; i < variants.size(); ++i) {
      variants[i].shift.assign(before[i].channel_shift.begin(), before[i].channel_shift.end());
    }
    const std::vector<VariantError> after = measure_variants(graph, variants, data, samples, threads);
    for (size_t i = 0; i < variants.size(); ++i) {
      const Metric metric = operands[i]->weight.bias_correction->metric;
      if (!better(metric, after[i].metrics.mean(metric), before[i].metrics.mean(metric))) continue;
      add_to_bias(graph, variants[i].node, variants[i].shift);
      ++count;
    }
  }
  return count;
}

}  // namespace twofold
