#include "quantize/equalization_sites.h"

#include <algorithm>
#include <functional>
#include <numeric>
#include <optional>
#include <set>

#include "base/error.h"
#include "passes/linear_op.h"
#include "traits/gemm_type.h"
#include "traits/op_names.h"
#include "traits/op_traits.h"

namespace twofold {

namespace {

int64_t elements_behind(const Shape& shape, int axis) {
  return std::accumulate(shape.begin() + axis + 1, shape.end(), int64_t{1}, std::multiplies<>());
}

const Tensor* float_constant(const Graph& graph, ValueId id) {
  const Tensor* tensor = graph.constant(id);
  return tensor != nullptr && tensor->dtype() == DType::kFloat32 && tensor->size() > 0 ? tensor : nullptr;
}

bool is_sum(const Node& node) { return node.is(op::kAdd) || node.is(op::kSub); }
bool is_scaling(const Node& node) { return node.is(op::kMul) || node.is(op::kDiv); }

bool is_normalization(const Node& node) {
  return node.is(op::kLayerNormalization) || node.is(op::kRmsNormalization) || node.is(op::kBatchNormalization) ||
         node.is(op::kInstanceNormalization) || node.is(op::kGroupNormalization);
}

// Rows and columns of the weight of a Conv or ConvTranspose [rows, columns, window...], of which one axis has the
// channels and the other one is cut into groups.
ChannelMap along_rows(const Tensor& weight) {
  return {elements_behind(weight.shape(), 0), weight.dim(0), weight.size(), 1};
}
ChannelMap along_columns(const Tensor& weight, int64_t groups) {
  return {elements_behind(weight.shape(), 1), weight.dim(1), weight.size() / groups, 1};
}

// Output channels of a linear operator's weight. REQUIRES: is_linear_weight.
ChannelMap output_map(const Node& node, const Tensor& weight) {
  const int64_t groups = node.is(op::kConvTranspose) ? node.attributes.get_int("group", 1) : 1;
  return output_channel_axis(node, 1, weight.rank()) == 0 ? along_rows(weight) : along_columns(weight, groups);
}

// Input channels, of which `repeat` neighbours are one of the site's. REQUIRES: is_linear_weight.
ChannelMap input_map(const Node& node, const Tensor& weight, int64_t repeat) {
  const int64_t groups = node.is(op::kConv) ? node.attributes.get_int("group", 1) : 1;
  ChannelMap map =
      output_channel_axis(node, 1, weight.rank()) == 0 ? along_columns(weight, groups) : along_rows(weight);
  map.repeat = repeat;
  return map;
}

int64_t num_channels(const ChannelMap& map, const Tensor& tensor) {
  return map.dim * (tensor.size() / map.group_size) / map.repeat;
}

// Each output channel has one input channel.
bool is_depthwise(const Node& node, const Tensor& weight) {
  return node.is(op::kConv) && node.attributes.get_int("group", 1) > 1 && weight.rank() > 2 && weight.dim(1) == 1;
}

// What a node computes, if its channels can be divided.
struct Producer {
  int64_t channels = 0;
  ChannelAxis axis;
  std::vector<ChannelConstant> divided;
};

}  // namespace

ChannelMap ChannelAxis::map(const Shape& shape) const {
  const int front = static_cast<int>(shape.size()) + axis;
  int64_t size = 1;
  for (const int64_t dim : shape) size *= dim;
  return {elements_behind(shape, front), shape[static_cast<size_t>(front)], std::max<int64_t>(size, 1), repeat};
}

namespace {

// One site while it is found; `why` says what is in the way.
class SiteSearch {
 public:
  SiteSearch(const Graph& graph, const std::vector<InferredType>& types) : graph_(graph), types_(types) {}

  std::optional<EqualizationSite> at(NodeId id) {
    const Node& node = graph_.node(id);
    std::optional<Producer> producer = producer_at(id);
    if (!producer || producer->channels < 2 || node.output(0) == kNone) {
      why = fmt::format("node '{}' ({}) has no constant scales of several channels", node.name, node.op_type);
      return std::nullopt;
    }
    site_.channels = producer->channels;
    site_.divided = std::move(producer->divided);
    site_.nodes = {id};
    if (!follow(node.output(0), producer->axis)) return std::nullopt;
    for (EqualizationSite::ScaledTensor& tensor : site_.tensors) tensor.axis = settled(tensor.axis);
    return std::move(site_);
  }

  // The products of rows, or the depthwise Convs, that read a tensor, whatever else does.
  std::optional<EqualizationSite> in_front_of_readers(ValueId tensor) {
    site_.inserted = true;
    const std::vector<NodeId>& readers = graph_.consumers(tensor);
    for (const NodeId id : std::set<NodeId>(readers.begin(), readers.end())) {
      const Node& node = graph_.node(id);
      const Tensor* weight = float_constant(graph_, node.input(1));
      if (node.input(0) != tensor || weight == nullptr || !is_linear_weight(node, *weight)) continue;
      const bool is_row = node.is(op::kMatMul) || (node.is(op::kGemm) && node.attributes.get_int("transA", 0) == 0);
      if (!is_row && !is_depthwise(node, *weight)) continue;
      const ChannelAxis axis{is_row ? -1 : 1 - weight->rank()};
      const ChannelMap map = input_map(node, *weight, 1);
      if (site_.channels == 0) site_.channels = num_channels(map, *weight), site_.tensors = {{tensor, axis, true}};
      if (num_channels(map, *weight) != site_.channels || axis.axis != site_.tensors.front().axis.axis) continue;
      site_.nodes.push_back(id);
      site_.multiplied.push_back({id, 1, map});
    }
    why = "no MatMul, Gemm or depthwise Conv with a constant weight of several rows reads it";
    return site_.channels < 2 ? std::nullopt : std::optional(std::move(site_));
  }

  std::string why;

 private:
  int rank(ValueId value) const { return types_[static_cast<size_t>(value)].rank(); }

  std::optional<Producer> producer_at(NodeId id) const {
    const Node& node = graph_.node(id);
    if (is_normalization(node)) return normalization(id);
    if (node.is(op::kMul)) return scaling(id);
    const Tensor* weight = float_constant(graph_, node.input(1));
    if (!is_gemm_type(node) || weight == nullptr || !is_linear_weight(node, *weight)) return std::nullopt;
    const ChannelMap map = output_map(node, *weight);
    Producer producer{num_channels(map, *weight), {}, {{id, 1, map}}};
    if (node.is(op::kConv) || node.is(op::kConvTranspose)) producer.axis = {1 - weight->rank(), 1, weight->rank()};
    if (node.is(op::kGemm)) producer.axis.rank = 2;
    if (node.is(op::kMatMul)) producer.axis.rank = rank(node.output(0));
    if (!takes_bias(node) || node.input(2) == kNone) return producer;
    return divide_bias(id, 2, producer) ? std::optional(producer) : std::nullopt;
  }

  // A constant whose last axis has the channels.
  bool divide_bias(NodeId id, int input, Producer& producer) const {
    const Tensor* bias = float_constant(graph_, graph_.node(id).input(input));
    if (bias == nullptr || bias->rank() == 0 || bias->dim(bias->rank() - 1) != producer.channels) return false;
    producer.divided.push_back({id, input, ChannelAxis{}.map(bias->shape())});
    return true;
  }

  std::optional<Producer> normalization(NodeId id) const {
    const Node& node = graph_.node(id);
    const int rank = this->rank(node.output(0));
    const bool is_last = node.is(op::kLayerNormalization) || node.is(op::kRmsNormalization);
    const int64_t axis = node.attributes.get_int("axis", -1);
    const bool has_axis = is_last ? axis == -1 || axis == rank - 1 : rank >= 2;
    if (!has_axis) return std::nullopt;
    const Tensor* scale = float_constant(graph_, node.input(1));
    if (scale == nullptr || scale->rank() != 1) return std::nullopt;
    Producer producer{scale->size(), {is_last ? -1 : 1 - rank, 1, rank}, {}};
    const bool has_bias = node.input(2) != kNone;
    if (!divide_bias(id, 1, producer) || (has_bias && !divide_bias(id, 2, producer))) return std::nullopt;
    return producer;
  }

  // Multiplication by a constant with one axis.
  std::optional<Producer> scaling(NodeId id) const {
    const Node& node = graph_.node(id);
    for (const int input : {0, 1}) {
      const Tensor* scale = float_constant(graph_, node.input(input));
      if (scale == nullptr || scale->size() < 2) continue;
      const auto axis = std::ranges::find(scale->shape(), scale->size());
      if (axis == scale->shape().end()) continue;
      const auto front = static_cast<int>(axis - scale->shape().begin());
      const ChannelAxis where{front - scale->rank(), 1, rank(node.output(0))};
      return Producer{scale->size(), where, {{id, input, where.map(scale->shape())}}};
    }
    return std::nullopt;
  }

  // Sizes of images are known only when they are there: how many of its numbers stand behind a channel in a row of
  // them is what the constants of that row say, which must agree.
  bool settle(const ChannelAxis& axis, int64_t dim) {
    if (axis.repeat != kUnsettled) return axis.repeat * site_.channels == dim;
    if (in_row_ == kUnsettled && dim % site_.channels == 0) in_row_ = dim / site_.channels;
    return in_row_ != kUnsettled && in_row_ * site_.channels == dim;
  }
  ChannelAxis settled(ChannelAxis axis) const {
    if (axis.repeat == kUnsettled) axis.repeat = in_row_;
    return axis;
  }

  // All that reads a tensor of the site.
  bool follow(ValueId value, const ChannelAxis& axis) {
    site_.tensors.push_back({value, axis});
    const size_t position = site_.tensors.size() - 1;
    if (graph_.is_output(value)) {
      why = fmt::format("'{}' is an output of the model", graph_.value(value).name);
      return false;
    }
    const std::vector<NodeId>& readers = graph_.consumers(value);
    for (const NodeId reader : std::set<NodeId>(readers.begin(), readers.end())) {
      const Node& node = graph_.node(reader);
      if (std::ranges::count(node.inputs, value) == 1 && read(reader, value, axis, position)) continue;
      if (why.empty()) why = fmt::format("node '{}' ({}) reads it otherwise than by channel", node.name, node.op_type);
      return false;
    }
    return true;
  }

  bool read(NodeId id, ValueId value, const ChannelAxis& axis, size_t position) {
    const Node& node = graph_.node(id);
    site_.nodes.push_back(id);
    if (is_gemm_type(node)) {
      site_.tensors[position].is_read = true;
      return multiply(id, value, axis);
    }
    if (node.output(0) == kNone) return false;
    if (is_sum(node) || is_scaling(node)) {
      const int other = node.input(0) == value ? 1 : 0;
      const Tensor* constant = float_constant(graph_, node.input(other));
      // A number divided by the tensor.
      if (constant == nullptr || (node.is(op::kDiv) && other == 0)) return false;
      if (is_sum(node) && !divide_summand(id, other, axis, *constant)) return false;
      const int behind = constant->rank() <= axis.rank ? axis.rank : rank(node.output(0));
      return follow(node.output(0), {axis.axis, axis.repeat, behind});
    }
    if (node.input(0) != value) return false;
    const std::optional<ChannelAxis> behind = behind_operator(node, axis);
    return behind && follow(node.output(0), *behind);
  }

  bool multiply(NodeId id, ValueId value, const ChannelAxis& axis) {
    const Node& node = graph_.node(id);
    const Tensor* weight = float_constant(graph_, node.input(1));
    if (node.input(0) != value || weight == nullptr || !is_linear_weight(node, *weight)) return false;
    const bool is_window = node.is(op::kConv) || node.is(op::kConvTranspose);
    const int expected = is_window ? 1 - weight->rank() : -1;
    if (axis.axis != expected || (is_window && axis.repeat != 1)) return false;
    const ChannelMap inputs = input_map(node, *weight, 1);
    if (!settle(axis, num_channels(inputs, *weight))) return false;
    site_.multiplied.push_back({id, 1, input_map(node, *weight, settled(axis).repeat)});
    return true;
  }

  // A constant that is added: the same for all channels, it would be several numbers afterwards.
  bool divide_summand(NodeId id, int input, const ChannelAxis& axis, const Tensor& constant) {
    if (constant.rank() < -axis.axis || !settle(axis, constant.dim(constant.rank() + axis.axis))) return false;
    site_.divided.push_back({id, input, settled(axis).map(constant.shape())});
    return true;
  }

  // Where the channels are behind an operator that commutes with scaling each of them; nothing where it does not.
  std::optional<ChannelAxis> behind_operator(const Node& node, const ChannelAxis& axis) const {
    const OpTraits& traits = traits_of(node);
    const bool moves = traits.effect == Effect::kMoves && !traits.fills;
    if (!traits.homogeneous && !moves) return std::nullopt;
    if (traits.shape != ShapeRule::kOther && traits.effect != Effect::kByRow) return axis;
    if (traits.slices == Slices::kBatchAndChannels) {
      return axis.rank > 0 && axis.axis == 1 - axis.rank ? std::optional(axis) : std::nullopt;
    }
    if (node.is(op::kTranspose)) return transposed(node, axis);
    if (node.is(op::kFlatten)) return flattened(node, axis);
    if (node.is(op::kReshape) || node.is(op::kSqueeze) || node.is(op::kUnsqueeze)) {
      return reshaped(types_[static_cast<size_t>(node.input(0))], types_[static_cast<size_t>(node.output(0))], axis);
    }
    return std::nullopt;
  }

  static std::optional<ChannelAxis> transposed(const Node& node, const ChannelAxis& axis) {
    if (axis.rank < 1) return std::nullopt;
    std::vector<int64_t> reversed(static_cast<size_t>(axis.rank));
    for (int i = 0; i < axis.rank; ++i) reversed[static_cast<size_t>(i)] = axis.rank - 1 - i;
    const std::vector<int64_t> perm = node.attributes.get_ints("perm", reversed);
    const auto at = std::ranges::find(perm, axis.rank + axis.axis);
    if (at == perm.end()) return std::nullopt;
    return ChannelAxis{static_cast<int>(at - perm.begin()) - axis.rank, axis.repeat, axis.rank};
  }

  // Rows that begin with the channels.
  static std::optional<ChannelAxis> flattened(const Node& node, const ChannelAxis& axis) {
    const int64_t from = node.attributes.get_int("axis", 1);
    if (axis.rank < 1 || (from < 0 ? from : from - axis.rank) != axis.axis || axis.repeat != 1) return std::nullopt;
    return ChannelAxis{-1, axis.axis == -1 ? 1 : kUnsettled, 2};
  }

  // The same elements in another shape. Where it begins with the same sizes up to the channels, their axis stays; else
  // it is the one that has as many elements from one of its turns to the next, and whose indices are parts of a
  // channel.
  static std::optional<ChannelAxis> reshaped(const InferredType& from, const InferredType& to,
                                             const ChannelAxis& axis) {
    if (from.rank() < -axis.axis || to.rank() < 1) return std::nullopt;
    const int front = from.rank() + axis.axis;
    if (to.rank() > front && std::equal(from.shape->begin(), from.shape->begin() + front + 1, to.shape->begin()) &&
        std::all_of(to.shape->begin(), to.shape->begin() + front + 1, [](int64_t dim) { return dim > 0; })) {
      return ChannelAxis{front - to.rank(), axis.repeat, to.rank()};
    }
    if (axis.repeat == kUnsettled) return std::nullopt;
    const Shape tail(from.shape->end() + axis.axis, from.shape->end());
    if (std::ranges::any_of(tail, [](int64_t dim) { return dim <= 0; })) return std::nullopt;  // unknown, or empty
    const int64_t inner = elements_behind(tail, 0), turn = tail.front() * inner;
    int64_t behind = 1;
    for (int i = to.rank() - 1; i >= 0; --i) {
      const int64_t size = (*to.shape)[static_cast<size_t>(i)];
      if (size <= 0) return std::nullopt;
      if (size * behind == turn && inner % behind == 0) {
        return ChannelAxis{i - to.rank(), axis.repeat * (inner / behind), to.rank()};
      }
      behind *= size;
    }
    return std::nullopt;
  }

  static constexpr int64_t kUnsettled = 0;

  const Graph& graph_;
  const std::vector<InferredType>& types_;
  EqualizationSite site_;
  int64_t in_row_ = kUnsettled;
};

}  // namespace

EqualizationSites::EqualizationSites(const Graph& graph)
    : graph_(graph), types_(infer_types(graph)), positions_(static_cast<size_t>(graph.node_limit())) {
  size_t position = 0;
  for (const NodeId id : graph.topological_order()) positions_[static_cast<size_t>(id)] = position++;
}

EqualizationSite EqualizationSites::at(NodeId producer) const {
  SiteSearch search(graph_, types_);
  std::optional<EqualizationSite> site = search.at(producer);
  if (!site) {
    const ValueId tensor = graph_.node(producer).output(0);
    throw_error(ErrorCode::kInvalidArgument, "tensor '{}': its channels cannot be scaled: {}",
                tensor == kNone ? "" : graph_.value(tensor).name, search.why);
  }
  return in_order(*std::move(site));
}

EqualizationSite EqualizationSites::in_front_of_readers(ValueId tensor) const {
  SiteSearch search(graph_, types_);
  std::optional<EqualizationSite> site = search.in_front_of_readers(tensor);
  if (!site) {
    throw_error(ErrorCode::kInvalidArgument, "tensor '{}': its channels cannot be scaled: {}",
                graph_.value(tensor).name, search.why);
  }
  return in_order(*std::move(site));
}

// Of tensors that no site reads so far.
void EqualizationSites::add_inserted(std::vector<EqualizationSite>& sites) const {
  std::set<ValueId> done;
  for (const EqualizationSite& site : sites) {
    for (const EqualizationSite::ScaledTensor& tensor : site.tensors) done.insert(tensor.value);
  }
  for (const NodeId id : graph_.topological_order()) {
    const ValueId tensor = graph_.node(id).input(0);
    if (!is_gemm_type(graph_.node(id)) || graph_.constant(tensor) != nullptr || !done.insert(tensor).second) continue;
    std::optional<EqualizationSite> site = SiteSearch(graph_, types_).in_front_of_readers(tensor);
    if (site) sites.push_back(in_order(*std::move(site)));
  }
}

std::vector<EqualizationSite> EqualizationSites::all() const {
  std::vector<EqualizationSite> sites;
  std::set<NodeId> inside;
  for (const NodeId id : graph_.topological_order()) {
    if (inside.contains(id)) continue;
    std::optional<EqualizationSite> site = SiteSearch(graph_, types_).at(id);
    if (!site) continue;
    sites.push_back(in_order(*std::move(site)));
    // A Mul that the site leads through would be a smaller one.
    for (const NodeId node : sites.back().nodes) {
      if (graph_.node(node).is(op::kMul)) inside.insert(node);
    }
  }
  add_inserted(sites);
  return sites;
}

EqualizationSite EqualizationSites::in_order(EqualizationSite site) const {
  std::ranges::sort(site.nodes, {}, [this](NodeId id) { return positions_[static_cast<size_t>(id)]; });
  return site;
}

}  // namespace twofold
