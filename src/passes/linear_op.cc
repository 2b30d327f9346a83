#include "passes/linear_op.h"

#include <algorithm>
#include <cmath>

namespace twofold {

bool ChannelAffine::has_shift() const {
  return std::any_of(shift.begin(), shift.end(), [](double value) { return value != 0; });
}

namespace {

bool is_float_constant(const Tensor* tensor) { return tensor != nullptr && tensor->dtype() == DType::kFloat32; }

// The bias as one number per output channel: zeros where it is omitted; nullopt where it is none we can fold into.
std::optional<std::vector<double>> bias_of(const Graph& graph, const Node& node, int64_t channels) {
  const auto count = static_cast<size_t>(channels);
  if (node.input(2) == kNone) return std::vector<double>(count, 0.0);
  const Tensor* bias = graph.constant(node.input(2));
  if (!is_float_constant(bias)) return std::nullopt;
  const std::span<const float> values = bias->data<float>();
  if (node.is("Gemm")) {
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

int64_t channels_of(const Node& node, const Tensor& weight) {
  if (node.is("Conv")) return weight.dim(0);
  if (node.is("ConvTranspose")) return weight.dim(1) * std::max<int64_t>(node.attributes.get_int("group", 1), 1);
  return weight.dim(node.attributes.get_int("transB", 0) != 0 ? 0 : 1);
}

bool weight_fits(const Node& node, const Tensor& weight) {
  if (weight.size() == 0) return false;
  const int64_t group = node.attributes.get_int("group", 1);
  if (node.is("Conv")) return weight.rank() >= 3 && group >= 1 && weight.dim(0) % group == 0;
  if (node.is("ConvTranspose")) {
    return weight.rank() >= 3 && group >= 1 && group <= weight.dim(0) && weight.dim(0) % group == 0;
  }
  return weight.rank() == 2 && node.attributes.get_int("transA", 0) == 0;
}

}  // namespace

std::optional<LinearOp> match_linear_op(const Graph& graph, const Pattern& pattern, NodeId id) {
  if (id == kNone) return std::nullopt;
  const Node& node = graph.node(id);
  const bool is_matmul = node.is("MatMul");
  if (!node.is("Conv") && !node.is("ConvTranspose") && !node.is("Gemm") && !is_matmul) return std::nullopt;
  const Tensor* weight = graph.constant(node.input(1));
  if (node.outputs.size() != 1 || !is_float_constant(weight) || !weight_fits(node, *weight)) return std::nullopt;
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
  std::vector<int64_t> channels(static_cast<size_t>(weight.size()));
  const int64_t rows = weight.dim(0);
  const int64_t row = weight.size() / rows;  // elements of one index of axis 0
  const bool first_axis = node.is("Conv") || node.attributes.get_int("transB", 0) != 0;
  const int64_t group = node.is("ConvTranspose") ? node.attributes.get_int("group", 1) : 1;
  for (int64_t i = 0; i < weight.size(); ++i) {
    const int64_t along_first = i / row;
    const int64_t along_second = i % row / (row / weight.dim(1));
    channels[static_cast<size_t>(i)] =
        first_axis ? along_first : along_first / (rows / group) * weight.dim(1) + along_second;
  }
  return channels;
}

bool fold_following(Graph& graph, const LinearOp& op, NodeId follower, const ChannelAffine& affine) {
  const Node& node = graph.node(op.node);
  const ValueId output = node.outputs[0];
  const bool takes_bias = !node.is("MatMul");
  if (!graph.has_single_use(output) || (!takes_bias && affine.has_shift())) return false;

  const Tensor& weight = *graph.constant(node.inputs[1]);
  const std::vector<int64_t> channels = output_channels(node, weight);
  std::vector<double> scaled(channels.size());
  const std::span<const float> old = weight.data<float>();
  for (size_t i = 0; i < scaled.size(); ++i) scaled[i] = affine.scale[static_cast<size_t>(channels[i])] * old[i];
  Tensor new_weight = to_tensor(weight.shape(), scaled);
  if (!all_finite(new_weight)) return false;

  if (takes_bias) {
    std::vector<double> bias = *bias_of(graph, node, op.channels);
    for (size_t i = 0; i < bias.size(); ++i) bias[i] = affine.scale[i] * bias[i] + affine.shift[i];
    Tensor new_bias = to_tensor({op.channels}, bias);
    if (!all_finite(new_bias)) return false;
    replace_constant(graph, op.node, 2, std::move(new_bias), node.name + "_bias");
    if (node.is("Gemm")) graph.attributes(op.node).erase("beta");
  }
  replace_constant(graph, op.node, 1, std::move(new_weight), "");
  graph.add_origins(op.node, graph.node(follower).origins);
  const ValueId result = graph.node(follower).outputs[0];
  graph.remove_node(follower);
  graph.set_output(op.node, 0, result);
  return true;
}

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

}  // namespace twofold
