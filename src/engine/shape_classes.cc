#include "engine/shape_classes.h"

#include <algorithm>
#include <map>
#include <optional>

#include "traits/op_names.h"
#include "traits/op_traits.h"

namespace twofold {

namespace {

// What a Conv does to the size of each spatial axis: output = (input + slack) / stride + 1, rounded down, where slack
// is padding - extent. Absent where auto_pad or missing attributes leave it open.
using SizeRule = std::vector<std::pair<int64_t, int64_t>>;  // (stride, slack)

std::optional<SizeRule> size_rule(const Graph& graph, const Node& conv) {
  const Tensor* weights = graph.constant(conv.input(1));
  if (weights == nullptr || weights->rank() < 3) return std::nullopt;
  const auto count = static_cast<size_t>(weights->rank()) - 2;
  if (conv.attributes.get_string("auto_pad", "NOTSET") != "NOTSET") return std::nullopt;
  const auto strides = conv.attributes.get_ints("strides", std::vector<int64_t>(count, 1));
  const auto dilations = conv.attributes.get_ints("dilations", std::vector<int64_t>(count, 1));
  const auto pads = conv.attributes.get_ints("pads", std::vector<int64_t>(2 * count, 0));
  if (strides.size() != count || dilations.size() != count || pads.size() != 2 * count) return std::nullopt;
  constexpr int64_t kLimit = int64_t{1} << 30;
  SizeRule rule;
  for (size_t i = 0; i < count; ++i) {
    const int64_t kernel = weights->dim(static_cast<int>(i) + 2);
    for (int64_t number : {strides[i], dilations[i], pads[i], pads[i + count], kernel}) {
      if (number < 0 || number > kLimit) return std::nullopt;
    }
    rule.emplace_back(strides[i], pads[i] + pads[i + count] - (kernel - 1) * dilations[i] - 1);
  }
  return rule;
}

bool keeps_size(const SizeRule& rule) {
  return std::all_of(rule.begin(), rule.end(),
                     [](const auto& axis) { return axis == std::pair<int64_t, int64_t>(1, -1); });
}

}  // namespace

std::vector<int> shape_classes(const Graph& graph, const std::vector<InferredType>& types) {
  std::vector<int> classes(static_cast<size_t>(graph.num_values()));
  int next = 0;
  for (int& one : classes) one = next++;
  const auto class_of = [&](ValueId id) -> int& { return classes[static_cast<size_t>(id)]; };
  const auto channels = [&](ValueId id) {
    const auto& shape = types[static_cast<size_t>(id)].shape;
    return shape && shape->size() > 1 ? (*shape)[1] : kUnknownDim;
  };
  std::map<std::pair<int, SizeRule>, int> conv_classes;
  for (NodeId id : graph.topological_order()) {
    const Node& node = graph.node(id);
    const ValueId input = node.input(0), output = node.output(0);
    if (!node.domain.empty() || input == kNone || output == kNone) continue;
    if (traits_of(node).shape == ShapeRule::kSame) {
      class_of(output) = class_of(input);
    } else if (node.is(op::kConv)) {
      const std::optional<SizeRule> rule = size_rule(graph, node);
      if (!rule) continue;
      class_of(output) = keeps_size(*rule)
                             ? class_of(input)
                             : conv_classes.emplace(std::pair(class_of(input), *rule), class_of(output)).first->second;
    } else if ((node.is(op::kAdd) || node.is(op::kMul)) && node.inputs.size() == 2 && node.inputs[1] != kNone) {
      const ValueId other = node.inputs[1];
      const Tensor *left = graph.constant(input), *right = graph.constant(other);
      if (right != nullptr && right->size() == 1 && right->rank() <= 1) class_of(output) = class_of(input);
      if (left != nullptr && left->size() == 1 && left->rank() <= 1) class_of(output) = class_of(other);
      const bool same =
          class_of(input) == class_of(other) && channels(input) != kUnknownDim && channels(input) == channels(other);
      if (same) class_of(output) = class_of(input);
    }
  }
  return classes;
}

}  // namespace twofold
