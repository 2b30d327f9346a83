#include "passes/fold_pad.h"

#include <algorithm>
#include <limits>

#include "passes/pattern.h"
#include "traits/op_names.h"
#include "traits/op_traits.h"

namespace twofold {

namespace {

// A Pad in "constant" mode: per spatial axis the begins, then the ends, as in the attribute `pads`.
struct SpatialPad {
  std::vector<int64_t> pads;
  float value = 0;
};

constexpr int64_t kMaxPad = int64_t{1} << 31;

std::optional<SpatialPad> match_pad(const Graph& graph, NodeId id) {
  if (id == kNone || !graph.node(id).is(op::kPad)) return std::nullopt;
  const Node& node = graph.node(id);
  const Tensor* pads = graph.constant(node.input(1));
  if (node.attributes.get_string("mode", "constant") != "constant" || node.input(3) != kNone) return std::nullopt;
  if (pads == nullptr || pads->dtype() != DType::kInt64 || pads->size() % 2 != 0 || pads->size() < 6)
    return std::nullopt;
  SpatialPad result;
  if (node.input(2) != kNone) {
    const auto value = scalar_constant(graph, node.input(2));
    if (!value) return std::nullopt;
    result.value = *value;
  }
  const std::span<const int64_t> values = pads->data<int64_t>();
  const size_t rank = values.size() / 2;
  for (size_t i = 0; i < values.size(); ++i) {
    if (values[i] < 0 || values[i] > kMaxPad) return std::nullopt;
    if (i % rank >= 2) result.pads.push_back(values[i]);
    if (i % rank < 2 && values[i] != 0) return std::nullopt;
  }
  return result;
}

bool is_never_negative(const Graph& graph, ValueId id) {
  const NodeId producer = id == kNone ? kNone : graph.producer(id);
  if (producer == kNone) return false;
  const Node& node = graph.node(producer);
  if (node.is(op::kClip)) return scalar_constant(graph, node.input(1)).value_or(-1.0F) >= 0;
  return traits_of(node).never_negative;
}

// Every window holds something other than padding.
bool is_smaller_than_kernel(const Node& pool, const std::vector<int64_t>& pads) {
  const std::vector<int64_t> kernel = pool.attributes.get_ints("kernel_shape", {});
  if (kernel.size() * 2 != pads.size()) return false;
  for (size_t i = 0; i < pads.size(); ++i) {
    if (pads[i] >= kernel[i % kernel.size()]) return false;
  }
  const std::vector<int64_t> dilations = pool.attributes.get_ints("dilations", {});
  return std::all_of(dilations.begin(), dilations.end(), [](int64_t dilation) { return dilation == 1; });
}

bool fits_average_pool(const Node& pool, const SpatialPad& pad, const std::vector<int64_t>& own) {
  const bool pads_itself = std::any_of(own.begin(), own.end(), [](int64_t p) { return p != 0; });
  return pad.value == 0 && (!pads_itself || pool.attributes.get_int("count_include_pad", 0) != 0);
}

bool fits_max_pool(const Graph& graph, const Node& pool, ValueId x, const SpatialPad& pad) {
  const bool neutral =
      pad.value <= std::numeric_limits<float>::lowest() || (pad.value == 0 && is_never_negative(graph, x));
  return neutral && pool.outputs.size() == 1;
}

bool fits(const Graph& graph, const Node& node, ValueId x, const SpatialPad& pad, const std::vector<int64_t>& own,
          const std::vector<int64_t>& sum) {
  if (node.is(op::kConv)) return pad.value == 0;
  if (node.attributes.get_int("ceil_mode", 0) != 0 || !is_smaller_than_kernel(node, sum)) return false;
  return node.is(op::kAveragePool) ? fits_average_pool(node, pad, own) : fits_max_pool(graph, node, x, pad);
}

bool fold_into(Graph& graph, NodeId id) {
  const Node& node = graph.node(id);
  if (!node.is(op::kConv) && !node.is(op::kAveragePool) && !node.is(op::kMaxPool)) return false;
  if (node.input(0) == kNone) return false;
  const NodeId producer = graph.producer(node.inputs[0]);
  const auto pad = match_pad(graph, producer);
  const std::string auto_pad = node.attributes.get_string("auto_pad", "NOTSET");
  if (!pad || (auto_pad != "NOTSET" && auto_pad != "VALID")) return false;

  std::vector<int64_t> own(pad->pads.size(), 0);
  if (auto_pad == "NOTSET") own = node.attributes.get_ints("pads", own);
  if (own.size() != pad->pads.size()) return false;
  std::vector<int64_t> sum;
  for (size_t i = 0; i < own.size(); ++i) {
    if (own[i] < 0 || own[i] > kMaxPad) return false;
    sum.push_back(own[i] + pad->pads[i]);
  }
  const ValueId x = graph.node(producer).input(0);
  if (x == kNone || !fits(graph, node, x, *pad, own, sum)) return false;

  graph.attributes(id).set("pads", std::move(sum));
  graph.attributes(id).erase("auto_pad");
  if (node.is(op::kAveragePool)) graph.attributes(id).set("count_include_pad", int64_t{1});
  graph.add_origins(id, graph.node(producer).origins);
  graph.set_input(id, 0, x);
  if (graph.consumers(graph.node(producer).outputs[0]).empty() && !graph.is_output(graph.node(producer).outputs[0])) {
    graph.remove_node(producer);
  }
  return true;
}

}  // namespace

int fold_pad(Graph& graph) {
  int folded = 0;
  for (NodeId id : graph.topological_order()) {
    if (graph.has_node(id) && fold_into(graph, id)) ++folded;
  }
  return folded;
}

}  // namespace twofold
