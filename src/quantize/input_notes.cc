#include "quantize/input_notes.h"

#include <fmt/format.h>

#include <cmath>
#include <optional>
#include <set>

#include "engine/executor.h"
#include "loops/layout.h"
#include "traits/gemm_type.h"
#include "traits/op_names.h"
#include "traits/op_traits.h"

namespace twofold {

namespace {

// A product with a bias, and how large the numbers that go into it are.
struct FirstLayer {
  NodeId node = kNone;
  float smallest = 0, largest = 0;  // of its input
  double over_bias = 0;             // what it makes of them, beside its bias: the ratio of the means of squares' roots
};

// Leaves numbers at the scale that they have, or multiplies and adds constants, as preprocessing inside of a model
// does.
bool prepares(const Graph& graph, const Node& node) {
  if (moves_data(traits_of(node))) return true;
  const bool by_constant = graph.constant(node.input(0)) != nullptr || graph.constant(node.input(1)) != nullptr;
  return by_constant && (node.is(op::kAdd) || node.is(op::kSub) || node.is(op::kMul) || node.is(op::kDiv));
}

// The product with a constant bias that the input goes into, if it is the only thing that reads it.
NodeId first_layer(const Graph& graph, ValueId input) {
  for (ValueId value = input; value != kNone;) {
    const std::vector<NodeId>& readers = graph.consumers(value);
    if (readers.size() != 1) return kNone;
    const Node& node = graph.node(readers[0]);
    if (is_gemm_type(node)) {
      const Tensor* bias = node.input(0) == value && takes_bias(node) ? graph.constant(node.input(2)) : nullptr;
      return bias != nullptr && bias->dtype() == DType::kFloat32 ? readers[0] : kNone;
    }
    value = prepares(graph, node) ? node.output(0) : kNone;
  }
  return kNone;
}

// The channel of each element of what a product computes, [N,C,...] or [N,C].
size_t channel_of(const Tensor& y, size_t element) {
  size_t inner = 1;
  for (int axis = 2; axis < y.rank(); ++axis) inner *= static_cast<size_t>(y.dim(axis));
  return element / inner % static_cast<size_t>(y.dim(1));
}

double root_mean_square(double squares, size_t count) { return std::sqrt(squares / static_cast<double>(count)); }

std::optional<FirstLayer> look_at(CalibratedModel& model, NodeId id) {
  const Graph& graph = model.graph();
  const Node& node = graph.node(id);
  Tensor x, y;
  const Executor executor(graph, {.threads = model.threads(), .watched = {node.input(0), node.output(0)}});
  executor.run(model.samples().inputs(0), [&](ValueId value, const Tensor& tensor) {
    (value == node.input(0) ? x : y) = to_layout(tensor, Layout::kPlain);
  });
  const std::span<const float> bias = graph.constant(node.input(2))->data<float>();
  if (x.size() == 0 || y.size() == 0 || y.rank() < 2 || bias.size() != static_cast<size_t>(y.dim(1))) return {};
  FirstLayer layer{id};
  for (const float number : x.data<float>()) {
    layer.smallest = std::min(layer.smallest, number);
    layer.largest = std::max(layer.largest, number);
  }
  double of_bias = 0, of_product = 0;
  for (const float number : bias) of_bias += static_cast<double>(number) * number;
  const std::span<const float> numbers = y.data<float>();
  for (size_t i = 0; i < numbers.size(); ++i) {
    const double made = static_cast<double>(numbers[i]) - bias[channel_of(y, i)];
    of_product += made * made;
  }
  if (of_bias == 0) return {};
  layer.over_bias = root_mean_square(of_product, numbers.size()) / root_mean_square(of_bias, bias.size());
  return layer;
}

// Both signs of a wrong factor of 255: numbers as only that leaves them, and a layer to which 255 times as much, or as
// little, would be closer to its bias.
std::optional<std::string> factor_of_255(const Graph& graph, const FirstLayer& layer) {
  const double closer = std::sqrt(255.0);
  const Node& node = graph.node(layer.node);
  const float magnitude = std::max(layer.largest, -layer.smallest);
  const auto sentence = [&](const char* what, const char* question) {
    return fmt::format(
        "node '{}' ({}) gets numbers from {:.3g} to {:.3g}, of which it makes {} beside the bias that it adds; are "
        "they {}",
        node.name, node.op_type, layer.smallest, layer.largest, what, question);
  };
  if (magnitude <= 5.0F / 255 && magnitude > 0 && layer.over_bias < 1 / closer) {
    return sentence("next to nothing", "divided by 255 once too often?");
  }
  if (layer.smallest >= 0 && magnitude > 64 && magnitude < 256 && layer.over_bias > closer) {
    return sentence("far too much", "bytes that must be divided by 255?");
  }
  return std::nullopt;
}

}  // namespace

std::vector<std::string> input_notes(CalibratedModel& model) {
  const Graph& graph = model.graph();
  const int64_t samples = model.data("to look at").size();
  std::vector<std::string> notes;
  if (samples == 1) {
    notes.emplace_back(
        "there is a single sample: ranges hold for it, and what else the model may get was not seen; a few dozen "
        "samples are the rule");
  }
  for (const ValueId input : graph.inputs) {
    const auto seen = model.statistics().find(input);
    if (seen == model.statistics().end()) continue;
    const std::string& name = graph.value(input).name;
    if (seen->second.min() == seen->second.max()) {
      notes.push_back(
          fmt::format("input '{}' is {} everywhere in all of the {} samples: ranges of what depends on it "
                      "mean nothing for other data",
                      name, seen->second.min(), samples));
      continue;
    }
    const NodeId first = first_layer(graph, input);
    const std::optional<FirstLayer> layer = first == kNone ? std::nullopt : look_at(model, first);
    const std::optional<std::string> factor = layer ? factor_of_255(graph, *layer) : std::nullopt;
    if (factor) notes.push_back(fmt::format("input '{}': {}", name, *factor));
  }
  return notes;
}

}  // namespace twofold
