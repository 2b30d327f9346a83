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

// The node on the variant's weight. Nothing reads what it gives: it is watched, and gone.
ValueId add_variant(Graph& graph, Node copy, const WeightVariant& variant) {
  copy.inputs[1] = graph.add_constant(graph.unique_value_name("variant_weight"), variant.weight);
  if (!variant.shift.empty()) {
    Tensor bias = shifted_bias(graph, copy, variant.shift);
    copy.inputs.resize(3, kNone);
    copy.inputs[2] = graph.add_constant(graph.unique_value_name("variant_bias"), std::move(bias));
  }
  const ValueId result = graph.add_value(graph.unique_value_name("variant_output"), {DType::kFloat32, std::nullopt});
  copy.outputs = {result};
  graph.add_node(std::move(copy));
  return result;
}

// The graph with variants, each right behind its node, so that it runs while the node's input and output are there.
struct Extended {
  Extended(const Graph& given, const std::vector<WeightVariant>& variants) : graph(given) {
    std::multimap<NodeId, size_t> of_node;
    for (size_t i = 0; i < variants.size(); ++i) of_node.emplace(variants[i].node, i);
    for (const NodeId id : given.topological_order()) {
      const Node node = given.node(id);
      graph.remove_node(id);
      graph.add_node(node);
      const auto [begin, end] = of_node.equal_range(id);
      if (begin == end) continue;
      watched.push_back(node.output(0));
      for (auto it = begin; it != end; ++it) {
        watched.push_back(add_variant(graph, node, variants[it->second]));
        results.emplace(watched.back(), it->second);
      }
    }
  }

  Graph graph;
  std::vector<ValueId> watched;       // what variants give, and before them what the node itself gives
  std::map<ValueId, size_t> results;  // of variants, and which
};

}  // namespace

std::vector<VariantError> measure_variants(const Graph& graph, const std::vector<WeightVariant>& variants,
                                           const Dataset& data, int64_t max_samples, int threads, bool with_shifts) {
  const Extended extended(graph, variants);
  std::vector<VariantError> errors(variants.size());
  std::vector<int64_t> counts(variants.size(), 0);
  Tensor y;
  const auto compare = [&](ValueId id, const Tensor& tensor) {
    const auto result = extended.results.find(id);
    if (result == extended.results.end()) {
      y = tensor;
      return;
    }
    const size_t i = result->second;
    const Tensor varied = to_layout(tensor, y.layout());
    ErrorSums sums;
    sums.add(y.data<float>(), varied.data<float>());
    errors[i].metrics.add(sums);
    const bool has_bias = !graph.node(variants[i].node).is(op::kMatMul);
    if (with_shifts && has_bias) add_channel_sums(y, varied, errors[i].channel_shift, counts[i]);
  };
  const Executor executor(extended.graph, {.threads = threads, .watched = extended.watched});
  const int64_t samples = max_samples > 0 ? std::min(max_samples, data.size()) : data.size();
  for (int64_t s = 0; s < samples; ++s) executor.run(data.sample(s), compare);
  for (size_t i = 0; i < errors.size(); ++i) {
    for (double& shift : errors[i].channel_shift) shift /= static_cast<double>(counts[i]);
  }
  return errors;
}

}  // namespace twofold
