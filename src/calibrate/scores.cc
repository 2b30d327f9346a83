#include "calibrate/scores.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <numeric>

#include "traits/op_names.h"
#include "traits/op_traits.h"

namespace twofold {

namespace {

constexpr float kDepth = 11.0903549F;  // 16 ln 2
// A sum of a score and the lowest number is about that: the largest of a row is lower only where all are masked.
constexpr float kMasked = std::numeric_limits<float>::lowest() / 2;

// `row` points at the first of `count` scores that are `stride` apart.
void raise_row(float* row, int64_t count, int64_t stride) {
  float largest = -std::numeric_limits<float>::infinity();
  for (int64_t i = 0; i < count; ++i) largest = std::max(largest, row[i * stride]);
  const bool masked = largest < kMasked;
  for (int64_t i = 0; i < count; ++i) {
    float& score = row[i * stride];
    if (std::isnan(score)) continue;
    score = masked ? 0 : std::max(score, largest - kDepth);
  }
}

}  // namespace

std::optional<int> scores_axis(const Graph& graph, ValueId value) {
  std::optional<int> axis;
  if (graph.is_output(value)) return axis;
  for (const NodeId id : graph.consumers(value)) {
    const Node& reader = graph.node(id);
    if (traits_of(reader).effect == Effect::kReadsShape) continue;
    if (!reader.is(op::kSoftmax)) return std::nullopt;
    const auto of_reader = static_cast<int>(reader.attributes.get_int("axis", -1));
    if (axis && *axis != of_reader) return std::nullopt;
    axis = of_reader;
  }
  return axis;
}

Tensor without_masked_scores(const Tensor& scores, int axis) {
  const int position = axis < 0 ? axis + scores.rank() : axis;
  if (scores.dtype() != DType::kFloat32 || scores.size() == 0 || position < 0 || position >= scores.rank()) {
    return scores;
  }
  // In memory, [N,C,spatial...] stands as [N,spatial...,C] where channels are last.
  const Shape& shape = scores.shape();
  const bool channels_last = scores.layout() == Layout::kChannelsLast;
  const auto product = [&shape](int begin, int end) {
    return std::accumulate(shape.begin() + begin, shape.begin() + end, int64_t{1}, std::multiplies<>());
  };
  int64_t stride = product(position + 1, scores.rank());
  if (channels_last && position == 1) stride = 1;
  if (channels_last && position > 1) stride *= shape[1];
  const int64_t count = shape[static_cast<size_t>(position)];
  Tensor raised = scores;
  const std::span<float> x = raised.mutable_data<float>();
  for (int64_t outer = 0; outer < scores.size(); outer += count * stride) {
    for (int64_t inner = 0; inner < stride; ++inner) raise_row(x.data() + outer + inner, count, stride);
  }
  return raised;
}

}  // namespace twofold
