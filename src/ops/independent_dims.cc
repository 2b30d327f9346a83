#include "ops/independent_dims.h"

#include <algorithm>

#include "ops/arguments.h"
#include "traits/op_traits.h"

namespace twofold {

namespace {

// Those before the attribute `axis`, where scales and biases are constants and the same for all rows.
int dims_before_axis(const Graph& graph, const Node& node, int rank) {
  const auto axis = static_cast<int>(normalize_axis(node.attributes.get_int("axis", -1), rank));
  for (size_t i = 1; i < node.inputs.size(); ++i) {
    const Tensor* weight = graph.constant(node.inputs[i]);
    if (node.inputs[i] != kNone && (weight == nullptr || weight->rank() > rank - axis)) return 0;
  }
  return axis;
}

// Those before the first one reduced, where all keep their places.
int dims_before_reduced(const Graph& graph, const Node& node, int rank) {
  const Tensor* axes = graph.constant(node.input(1));
  if (axes == nullptr || axes->size() == 0 || node.attributes.get_int("keepdims", 1) == 0) return 0;
  const std::vector<int64_t> reduced = normalize_axes(read_ints(*axes, "axes"), rank);
  return static_cast<int>(*std::ranges::min_element(reduced));
}

// Those along which constants, aligned at the end, have no dimension. None where anything but data is computed, such as
// the bounds of a Clip.
int dims_before_constants(const Graph& graph, const Node& node, int rank) {
  const std::vector<int> data = data_inputs(node);
  int dims = rank;
  for (int i = 0; i < static_cast<int>(node.inputs.size()); ++i) {
    if (node.input(i) == kNone) continue;
    if (const Tensor* constant = graph.constant(node.input(i))) {
      dims = std::min(dims, std::max(rank - constant->rank(), 0));
    } else if (std::ranges::find(data, i) == data.end()) {
      return 0;
    }
  }
  return dims;
}

}  // namespace

bool works_on_rows(const Node& node) { return traits_of(node).slices != Slices::kNone; }

int independent_dims(const Graph& graph, const Node& node, int rank) {
  if (rank == 0) return 0;
  const OpTraits& traits = traits_of(node);
  switch (traits.slices) {
    case Slices::kNone: break;
    case Slices::kBeforeAxis: return dims_before_axis(graph, node, rank);
    case Slices::kBatchAndChannels: return std::min(rank, 2);
    case Slices::kBeforeReduced: return dims_before_reduced(graph, node, rank);
  }
  switch (traits.effect) {
    case Effect::kElementwise:
    case Effect::kClamps: return dims_before_constants(graph, node, rank);
    case Effect::kConverts: {
      const Tensor* scale = graph.constant(node.input(1));
      return scale != nullptr && scale->size() == 1 ? rank : 0;
    }
    default: return 0;
  }
}

}  // namespace twofold
