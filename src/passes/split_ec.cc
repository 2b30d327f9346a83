#include "passes/split_ec.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "base/nearest_names.h"
#include "numeric/fake_quantize.h"
#include "numeric/qparams.h"
#include "passes/linear_op.h"
#include "traits/gemm_type.h"
#include "traits/op_names.h"

namespace twofold {

namespace {

NodeId find(const Graph& graph, const std::string& name) {
  const NodeId id = graph.find_node(name);
  if (id != kNone) return id;
  std::vector<std::string> names;
  for (NodeId node : graph.topological_order()) names.push_back(graph.node(node).name);
  throw_error(ErrorCode::kNotFound, "the model has no node '{}'; the nearest names are {}", name,
              quoted_list(nearest_names(name, names, 3)));
}

void check_can_split(const Graph& graph, const Node& node) {
  if (!is_gemm_type(node)) {
    throw_error(ErrorCode::kUnsupported,
                "node '{}' cannot be split: {} is none of Conv, ConvTranspose, MatMul and Gemm", node.name,
                node.op_type);
  }
  const Tensor* weight = graph.constant(node.input(1));
  if (weight == nullptr) {
    throw_error(ErrorCode::kUnsupported,
                "node '{}' cannot be split: its input 1 is no constant, and only a constant weight can be split before "
                "the model is quantized (ask for 'ec' in the quantization config instead)",
                node.name);
  }
  if (!is_linear_weight(node, *weight)) {
    throw_error(
        ErrorCode::kUnsupported, "node '{}' cannot be split: its weight is {} {}, not a float32 {}", node.name,
        to_string(weight->dtype()), to_string(weight->shape()),
        node.is(op::kMatMul) || node.is(op::kGemm) ? "matrix (and transA must be 0)" : "kernel that fits its groups");
  }
  const std::span<const float> values = weight->data<float>();
  if (!std::all_of(values.begin(), values.end(), [](float value) { return std::isfinite(value); })) {
    throw_error(ErrorCode::kInvalidModel, "node '{}': its weight '{}' holds NaN or infinity", node.name,
                graph.value(node.input(1)).name);
  }
}

// W1 and W2 of the header.
std::pair<Tensor, Tensor> split_weight(const Node& node, const Tensor& weight) {
  const std::vector<int64_t> channels = output_channels(node, weight);
  const std::span<const float> values = weight.data<float>();
  std::vector<float> scales(static_cast<size_t>(*std::max_element(channels.begin(), channels.end()) + 1), 0.0F);
  for (size_t i = 0; i < values.size(); ++i) {
    float& threshold = scales[static_cast<size_t>(channels[i])];
    threshold = std::max(threshold, std::fabs(values[i]));
  }
  for (float& scale : scales) scale = symmetric_scale(scale, QType::kEc);
  std::vector<float> scale_of_each;
  for (const int64_t channel : channels) scale_of_each.push_back(scales[static_cast<size_t>(channel)]);
  Tensor first(DType::kFloat32, weight.shape()), second(DType::kFloat32, weight.shape());
  const std::span<float> main = first.mutable_data<float>(), residual = second.mutable_data<float>();
  fake_quantize(values, QType::kInt8, ChannelScales({weight.size()}, 0, scale_of_each, {}), main);
  for (size_t i = 0; i < values.size(); ++i) residual[i] = values[i] - main[i];
  return {std::move(first), std::move(second)};
}

void split(Graph& graph, NodeId id) {
  const Node original = graph.node(id);
  auto [main, residual] = split_weight(original, *graph.constant(original.inputs[1]));
  const std::string weight_name = graph.value(original.inputs[1]).name;
  const ValueId result = original.outputs[0];
  const std::string result_name = graph.value(result).name;

  const ValueId residual_weight =
      graph.add_constant(graph.unique_value_name(weight_name + "_residual"), std::move(residual));
  replace_constant(graph, id, 1, std::move(main), "");
  const ValueId first = graph.add_value(graph.unique_value_name(result_name + "_main"), graph.value(result).type);
  const ValueId second = graph.add_value(graph.unique_value_name(result_name + "_residual"), graph.value(result).type);
  graph.set_output(id, 0, first);
  graph.add_node({original.name + "_residual",
                  original.op_type,
                  "",
                  {original.inputs[0], residual_weight},
                  {second},
                  original.attributes,
                  original.origins});
  graph.add_node({original.name + "_sum", op::kAdd, "", {first, second}, {result}, {}, original.origins});
}

}  // namespace

void split_ec(Graph& graph, const std::vector<std::string>& nodes) {
  std::vector<NodeId> ids;
  for (const std::string& name : nodes) {
    const NodeId id = find(graph, name);
    check_can_split(graph, graph.node(id));
    if (std::find(ids.begin(), ids.end(), id) == ids.end()) ids.push_back(id);
  }
  for (NodeId id : ids) split(graph, id);
}

}  // namespace twofold
