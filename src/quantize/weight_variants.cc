#include "quantize/weight_variants.h"

#include <algorithm>
#include <map>

#include "engine/executor.h"
#include "loops/layout.h"
#include "quantize/bias_shifts.h"
#include "traits/op_names.h"

namespace twofold {

namespace {

// Adds y - y' to the sums of each channel.
void add_channel_sums(const Tensor& y, const Tensor& varied, std::vector<double>& sums, int64_t& count) {
  const std::span<const float> a = y.data<float>(), b = varied.data<float>();
  const int64_t channels = y.dim(1);
  if (y.size() == 0) return;
  const int64_t inner = y.layout() == Layout::kChannelsLast ? 1 : y.size() / (y.dim(0) * channels);
  sums.resize(static_cast<size_t>(channels), 0.0);
  for (int64_t r = 0; r * inner < y.size(); ++r) {
    double sum = 0;
    for (int64_t i = r * inner; i < (r + 1) * inner; ++i) {
      sum += static_cast<double>(a[static_cast<size_t>(i)]) - b[static_cast<size_t>(i)];
    }
    sums[static_cast<size_t>(r % channels)] += sum;
  }
  count += y.size() / channels;
}

// The node on the variant's weight, as another output of the graph (so that nothing takes it for dead).
ValueId add_variant(Graph& graph, const WeightVariant& variant) {
  Node copy = graph.node(variant.node);
  copy.inputs[1] = graph.add_constant(graph.unique_value_name("variant_weight"), variant.weight);
  if (!variant.shift.empty()) {
    Tensor bias = shifted_bias(graph, copy, variant.shift);
    copy.inputs.resize(3, kNone);
    copy.inputs[2] = graph.add_constant(graph.unique_value_name("variant_bias"), std::move(bias));
  }
  const ValueId result = graph.add_value(graph.unique_value_name("variant_output"), {DType::kFloat32, std::nullopt});
  copy.outputs = {result};
  graph.add_node(std::move(copy));
  graph.outputs.push_back({graph.value(result).name, result});
  return result;
}

}  // namespace

std::vector<VariantError> measure_variants(const Graph& graph, const std::vector<WeightVariant>& variants,
                                           const Dataset& data, int64_t max_samples, int threads, bool with_shifts) {
  Graph extended = graph;
  std::vector<VariantError> errors(variants.size());
  std::vector<int64_t> counts(variants.size(), 0);
  std::vector<ValueId> results, watched;
  for (const WeightVariant& variant : variants) {
    results.push_back(add_variant(extended, variant));
    watched.push_back(results.back());
    watched.push_back(graph.node(variant.node).output(0));
  }
  const Executor executor(extended, {.threads = threads, .watched = watched});
  const int64_t samples = max_samples > 0 ? std::min(max_samples, data.size()) : data.size();
  for (int64_t s = 0; s < samples; ++s) {
    std::map<ValueId, Tensor> seen;
    executor.run(data.sample(s), [&](ValueId id, const Tensor& tensor) { seen[id] = tensor; });
    for (size_t i = 0; i < variants.size(); ++i) {
      const Node& node = graph.node(variants[i].node);
      const Tensor& y = seen.at(node.output(0));
      const Tensor varied = to_layout(seen.at(results[i]), y.layout());
      ErrorSums sums;
      sums.add(y.data<float>(), varied.data<float>());
      errors[i].metrics.add(sums);
      if (with_shifts && !node.is(op::kMatMul)) add_channel_sums(y, varied, errors[i].channel_shift, counts[i]);
    }
  }
  for (size_t i = 0; i < errors.size(); ++i) {
    for (double& shift : errors[i].channel_shift) shift /= static_cast<double>(counts[i]);
  }
  return errors;
}

}  // namespace twofold
