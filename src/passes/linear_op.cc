#include "passes/linear_op.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "traits/op_names.h"

namespace twofold {

bool ChannelAffine::has_shift() const {
  return std::any_of(shift.begin(), shift.end(), [](double value) { return value != 0; });
}

namespace {

// The bias as one number per output channel: zeros where it is omitted; nullopt where it is none we can fold into.
std::optional<std::vector<double>> bias_of(const Graph& graph, const Node& node, int64_t channels) {
  const auto count = static_cast<size_t>(channels);
  if (node.input(2) == kNone) return std::vector<double>(count, 0.0);
  const Tensor* bias = graph.constant(node.input(2));
  if (bias == nullptr || bias->dtype() != DType::kFloat32) return std::nullopt;
  const std::span<const float> values = bias->data<float>();
  if (node.is(op::kGemm)) {
    // C broadcasts to [M, N]: one number, or one per column.
    if (bias->rank() > 2 || (bias->rank() == 2 && bias->dim(0) != 1)) return std::nullopt;
    const double beta = node.attributes.get_float("beta", 1.0F);
    std::vector<double> scaled(count);
    if (bias->size() != 1 && bias->size() != channels) return std::nullopt;
    for (size_t i = 0; i < count; ++i) scaled[i] = beta * values[bias->size() == 1 ? 0 : i];
    return scaled;
  }
  if (bias->rank() != 1 || bias->size() != channels) return std::nullopt;
  return std::vector<double>(values.begin(), values.end());
}

Tensor to_tensor(const Shape& shape, const std::vector<double>& values) {
  Tensor tensor(DType::kFloat32, shape);
  const std::span<float> out = tensor.mutable_data<float>();
  for (size_t i = 0; i < out.size(); ++i) out[i] = static_cast<float>(values[i]);
  return tensor;
}

bool all_finite(const Tensor& tensor) {
  const std::span<const float> values = tensor.data<float>();
  return std::all_of(values.begin(), values.end(), [](float value) { return std::isfinite(value); });
}

// Largest |w| that is no danger to weights beside it: 16-bit integers of what is 2^-16 of it have a scale that float32
// holds as a normal number. Weights of less than that are rounded coarsely, or to 0.
constexpr double kSafeMagnitude = 65536.0 * 32767 * std::numeric_limits<float>::min();

template <typename T>
double largest(std::span<const T> values) {
  double result = 0;
  for (const T value : values) result = std::max(result, std::fabs(static_cast<double>(value)));
  return result;
}

// Folding a tiny factor, which belongs to large activations, into weights that had a magnitude.
bool underflows(const Tensor& old_weight, const std::vector<double>& weight) {
  const double magnitude = largest(std::span<const double>(weight));
  return magnitude > 0 && magnitude < kSafeMagnitude && magnitude < largest(old_weight.data<float>());
}

int64_t channels_of(const Node& node, const Tensor& weight) {
  if (node.is(op::kConv)) return weight.dim(0);
  if (node.is(op::kConvTranspose)) return weight.dim(1) * std::max<int64_t>(node.attributes.get_int("group", 1), 1);
  return weight.dim(node.attributes.get_int("transB", 0) != 0 ? 0 : 1);
}

// A constant that broadcasts to one number per channel of `op`'s output and cannot change its shape; nullopt otherwise.
std::optional<std::vector<double>> per_channel(const LinearOp& op, const Tensor& constant) {
  if (constant.dtype() != DType::kFloat32 || constant.size() == 0) return std::nullopt;
  const int rank = constant.rank();
  if (rank > 0 && rank > (op.rank < 0 ? 1 : op.rank)) return std::nullopt;
  const std::span<const float> values = constant.data<float>();
  if (constant.size() == 1) return std::vector<double>(static_cast<size_t>(op.channels), values[0]);
  // Where the channel axis of the output falls in the constant, aligned at the right.
  const int axis = op.channel_axis < 0 ? rank - 1 : rank - op.rank + op.channel_axis;
  if (axis < 0 || constant.size() != op.channels || constant.dim(axis) != op.channels) return std::nullopt;
  return std::vector<double>(values.begin(), values.end());
}

// New weight and bias in the place of the old ones; false, and nothing changes, where one is not finite or the weight
// would underflow.
bool replace_weight_and_bias(Graph& graph, NodeId id, const std::vector<double>& weight,
                             const std::vector<double>* bias) {
  const Node& node = graph.node(id);
  const Tensor& old_weight = *graph.constant(node.inputs[1]);
  Tensor new_weight = to_tensor(old_weight.shape(), weight);
  if (!all_finite(new_weight) || underflows(old_weight, weight)) return false;
  if (bias != nullptr) {
    Tensor new_bias = to_tensor({static_cast<int64_t>(bias->size())}, *bias);
    if (!all_finite(new_bias)) return false;
    replace_constant(graph, id, 2, std::move(new_bias), node.name + "_bias");
    graph.attributes(id).erase("beta");
  }
  replace_constant(graph, id, 1, std::move(new_weight), "");
  return true;
}

}  // namespace

bool is_linear_weight(const Node& node, const Tensor& weight) {
  if (weight.dtype() != DType::kFloat32 || weight.size() == 0) return false;
  const int64_t group = node.attributes.get_int("group", 1);
  if (node.is(op::kConv)) return weight.rank() >= 3 && group >= 1 && weight.dim(0) % group == 0;
  if (node.is(op::kConvTranspose)) {
    return weight.rank() >= 3 && group >= 1 && group <= weight.dim(0) && weight.dim(0) % group == 0;
  }
  if (!node.is(op::kGemm) && !node.is(op::kMatMul)) return false;
  return weight.rank() == 2 && node.attributes.get_int("transA", 0) == 0;
}

std::optional<LinearOp> match_linear_op(const Graph& graph, const Pattern& pattern, NodeId id) {
  if (id == kNone) return std::nullopt;
  const Node& node = graph.node(id);
  const bool is_matmul = node.is(op::kMatMul);
  const Tensor* weight = graph.constant(node.input(1));
  if (node.outputs.size() != 1 || weight == nullptr || !is_linear_weight(node, *weight)) return std::nullopt;
  LinearOp op{id, channels_of(node, *weight), 1, weight->rank()};
  if (is_matmul) {
    op.channel_axis = -1;
    op.rank = pattern.type(node.inputs[0]).rank();
    // A 1-D left operand takes the row dimension away.
    if (op.rank == 1) return std::nullopt;
  } else if (!bias_of(graph, node, op.channels)) {
    return std::nullopt;
  }
  return op;
}

std::vector<int64_t> output_channels(const Node& node, const Tensor& weight) {
  std::vector<int64_t> channels;
  channels.reserve(static_cast<size_t>(weight.size()));
  const int64_t rows = weight.dim(0), columns = weight.dim(1);
  const auto inner = static_cast<size_t>(weight.size() / rows / columns);
  const bool along_rows = node.is(op::kConv) || node.attributes.get_int("transB", 0) != 0;
  const int64_t rows_of_group = rows / (node.is(op::kConvTranspose) ? node.attributes.get_int("group", 1) : 1);
  for (int64_t row = 0; row < rows; ++row) {
    for (int64_t column = 0; column < columns; ++column) {
      const int64_t channel = along_rows ? row : row / rows_of_group * columns + column;
      channels.insert(channels.end(), inner, channel);
    }
  }
  return channels;
}

bool fold_following(Graph& graph, const LinearOp& op, NodeId follower, const ChannelAffine& affine) {
  const Node& node = graph.node(op.node);
  const bool takes_bias = !node.is(op::kMatMul);
  if (!graph.has_single_use(node.outputs[0]) || (!takes_bias && affine.has_shift())) return false;

  const Tensor& old = *graph.constant(node.inputs[1]);
  const std::vector<int64_t> channels = output_channels(node, old);
  std::vector<double> weight(channels.size());
  for (size_t i = 0; i < weight.size(); ++i) {
    weight[i] = affine.scale[static_cast<size_t>(channels[i])] * old.data<float>()[i];
  }
  std::vector<double> bias;
  if (takes_bias) {
    bias = *bias_of(graph, node, op.channels);
    for (size_t i = 0; i < bias.size(); ++i) bias[i] = affine.scale[i] * bias[i] + affine.shift[i];
  }
  // A bias of zeros is not made where there was none.
  const bool writes_bias = takes_bias && (node.input(2) != kNone || affine.has_shift());
  if (!replace_weight_and_bias(graph, op.node, weight, writes_bias ? &bias : nullptr)) return false;
  graph.add_origins(op.node, graph.node(follower).origins);
  const ValueId result = graph.node(follower).outputs[0];
  graph.remove_node(follower);
  graph.set_output(op.node, 0, result);
  return true;
}

bool fold_preceding(Graph& graph, const LinearOp& op, double scale, double shift) {
  const Node& node = graph.node(op.node);
  const Tensor& old = *graph.constant(node.inputs[1]);
  const std::vector<int64_t> channels = output_channels(node, old);
  std::vector<double> weight(channels.size());
  std::vector<double> sums(static_cast<size_t>(op.channels), 0.0);
  for (size_t i = 0; i < weight.size(); ++i) {
    weight[i] = scale * old.data<float>()[i];
    sums[static_cast<size_t>(channels[i])] += old.data<float>()[i];
  }
  if (shift == 0) return replace_weight_and_bias(graph, op.node, weight, nullptr);
  // Gemm multiplies the product, but not the bias, by alpha.
  const double alpha = node.is(op::kGemm) ? node.attributes.get_float("alpha", 1.0F) : 1.0;
  std::vector<double> bias = *bias_of(graph, node, op.channels);
  for (size_t i = 0; i < bias.size(); ++i) bias[i] += alpha * shift * sums[i];
  return replace_weight_and_bias(graph, op.node, weight, &bias);
}

std::optional<ChannelOperand> match_channel_operand(const Graph& graph, const Pattern& pattern, NodeId id,
                                                    bool commutes) {
  const Node& node = graph.node(id);
  if (node.inputs.size() != 2 || node.outputs.size() != 1) return std::nullopt;
  for (const int at : {1, 0}) {
    const Tensor* constant = graph.constant(node.inputs[static_cast<size_t>(at)]);
    const ValueId x = node.inputs[static_cast<size_t>(1 - at)];
    if (constant == nullptr || x == kNone || (at == 0 && !commutes)) continue;
    const auto op = match_linear_op(graph, pattern, graph.producer(x));
    if (!op) continue;
    auto operand = per_channel(*op, *constant);
    if (operand) return ChannelOperand{*op, std::move(*operand)};
  }
  return std::nullopt;
}

}  // namespace twofold
