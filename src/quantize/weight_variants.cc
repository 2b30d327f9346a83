#include "quantize/weight_variants.h"

#include <algorithm>
#include <map>

#include "engine/executor.h"

namespace twofold {

namespace {

// Adds sum (y' - y)^2, sum y^2 and the per-channel sums of y - y' of one sample.
void accumulate(const Tensor& y, const Tensor& varied, bool has_channels, VariantError& error, int64_t& count) {
  const std::span<const float> a = y.data<float>(), b = varied.data<float>();
  for (size_t i = 0; i < a.size(); ++i) {
    const double difference = static_cast<double>(b[i]) - a[i];
    error.squared_error += difference * difference;
    error.squared_signal += static_cast<double>(a[i]) * a[i];
  }
  if (!has_channels) return;
  const int64_t channels = y.dim(1);
  const int64_t inner = y.layout() == Layout::kChannelsLast ? 1 : y.size() / std::max<int64_t>(y.dim(0) * channels, 1);
  error.channel_shift.resize(static_cast<size_t>(channels), 0.0);
  for (int64_t r = 0; r * inner < y.size(); ++r) {
    double sum = 0;
    for (int64_t i = r * inner; i < (r + 1) * inner; ++i) {
      sum += static_cast<double>(a[static_cast<size_t>(i)]) - b[static_cast<size_t>(i)];
    }
    error.channel_shift[static_cast<size_t>(r % channels)] += sum;
  }
  count += channels == 0 ? 0 : y.size() / channels;
}

}  // namespace

std::vector<VariantError> measure_variants(const Graph& graph, const std::vector<WeightVariant>& variants,
                                           const Dataset& data, int64_t max_samples, int threads) {
  Graph extended = graph;
  std::vector<VariantError> errors(variants.size());
  std::vector<int64_t> counts(variants.size(), 0);
  std::vector<ValueId> watched;
  std::map<ValueId, size_t> variant_of;  // the variant's output -> its index
  for (size_t i = 0; i < variants.size(); ++i) {
    Node copy = extended.node(variants[i].node);
    watched.push_back(copy.output(0));
    copy.inputs[1] = extended.add_constant(extended.unique_value_name("variant_weight"), variants[i].weight);
    copy.outputs = {extended.add_value(extended.unique_value_name("variant_output"), {DType::kFloat32, std::nullopt})};
    // A graph output, so that nothing takes the node for dead.
    extended.outputs.push_back({extended.value(copy.outputs[0]).name, copy.outputs[0]});
    variant_of[copy.outputs[0]] = i;
    watched.push_back(copy.outputs[0]);
    extended.add_node(std::move(copy));
  }
  const Executor executor(extended, {.threads = threads, .watched = watched});
  const int64_t samples = max_samples > 0 ? std::min(max_samples, data.size()) : data.size();
  for (int64_t s = 0; s < samples; ++s) {
    std::map<ValueId, Tensor> seen;
    executor.run(data.sample(s), [&](ValueId id, const Tensor& tensor) { seen[id] = tensor; });
    for (const auto& [id, i] : variant_of) {
      const Node& node = graph.node(variants[i].node);
      accumulate(seen.at(node.output(0)), seen.at(id), !node.is("MatMul"), errors[i], counts[i]);
    }
  }
  for (size_t i = 0; i < errors.size(); ++i) {
    for (double& shift : errors[i].channel_shift) shift /= static_cast<double>(std::max<int64_t>(counts[i], 1));
  }
  return errors;
}

}  // namespace twofold
