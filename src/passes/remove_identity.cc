#include "passes/remove_identity.h"

#include <algorithm>
#include <map>

#include "passes/pattern.h"
#include "traits/op_names.h"

namespace twofold {

namespace {

using Rule = bool (*)(const Graph&, const Pattern&, NodeId);

bool always(const Graph&, const Pattern&, NodeId) { return true; }

bool has_one_input(const Graph& graph, const Pattern&, NodeId id) { return graph.node(id).inputs.size() == 1; }

bool is_inference_dropout(const Graph& graph, const Pattern&, NodeId id) {
  const ValueId mode = graph.node(id).input(2);
  if (mode == kNone) return true;
  const Tensor* training = graph.constant(mode);
  return training != nullptr && training->dtype() == DType::kBool && training->size() == 1 &&
         training->data<uint8_t>()[0] == 0;
}

bool casts_to_same_type(const Graph& graph, const Pattern& pattern, NodeId id) {
  const DType from = pattern.type(graph.node(id).inputs[0]).dtype;
  return from != DType::kUndefined && from == static_cast<DType>(graph.node(id).attributes.get_int("to", 0));
}

// Reshape: one dimension of the two shapes may be unknown, since the number of elements is the same.
bool keeps_shape(const Graph& graph, const Pattern& pattern, NodeId id) {
  const auto& from = pattern.type(graph.node(id).inputs[0]).shape;
  const auto& to = pattern.type(graph.node(id).outputs[0]).shape;
  if (!from || !to || from->size() != to->size()) return false;
  int open = 0;
  for (size_t i = 0; i < from->size(); ++i) {
    if ((*from)[i] == kUnknownDim || (*to)[i] == kUnknownDim) {
      ++open;
    } else if ((*from)[i] != (*to)[i] || (*from)[i] == 0) {
      return false;
    }
  }
  return open <= 1;
}

bool keeps_order(const Graph& graph, const Pattern& pattern, NodeId id) {
  const int rank = pattern.type(graph.node(id).inputs[0]).rank();
  const std::vector<int64_t> perm = graph.node(id).attributes.get_ints("perm", {});
  if (perm.empty()) return rank == 0 || rank == 1;
  for (size_t i = 0; i < perm.size(); ++i) {
    if (perm[i] != static_cast<int64_t>(i)) return false;
  }
  return true;
}

template <typename T>
bool all_equal(const Tensor* tensor, DType dtype, T expected) {
  if (tensor == nullptr || tensor->dtype() != dtype) return false;
  const std::span<const T> values = tensor->data<T>();
  return std::all_of(values.begin(), values.end(), [expected](T value) { return value == expected; });
}

bool pads_nothing(const Graph& graph, const Pattern&, NodeId id) {
  return all_equal<int64_t>(graph.constant(graph.node(id).input(1)), DType::kInt64, 0);
}

bool slices_everything(const Graph& graph, const Pattern&, NodeId id) {
  const Node& node = graph.node(id);
  const Tensor* ends = graph.constant(node.input(2));
  if (ends == nullptr || ends->dtype() != DType::kInt64) return false;
  if (!all_equal<int64_t>(graph.constant(node.input(1)), DType::kInt64, 0)) return false;
  if (node.input(4) != kNone && !all_equal<int64_t>(graph.constant(node.input(4)), DType::kInt64, 1)) return false;
  // Exporters write "to the end" as the largest integer of 32 or 64 bits; no dimension is as long as that.
  const std::span<const int64_t> values = ends->data<int64_t>();
  return std::all_of(values.begin(), values.end(), [](int64_t end) { return end >= 0x7fffffff; });
}

bool has_no_axes(const Graph& graph, const Pattern&, NodeId id) {
  const Tensor* axes = graph.constant(graph.node(id).input(1));
  return axes != nullptr && axes->size() == 0;
}

bool resizes_by_one(const Graph& graph, const Pattern&, NodeId id) {
  const Node& node = graph.node(id);
  const Tensor* scales = graph.constant(node.input(2));
  return node.input(3) == kNone && scales != nullptr && scales->size() > 0 &&
         node.attributes.get_string("coordinate_transformation_mode", "half_pixel") != "tf_crop_and_resize" &&
         all_equal<float>(scales, DType::kFloat32, 1.0F);
}

bool has_neutral_constant(const Graph& graph, const Pattern& pattern, NodeId id) {
  const std::string& type = graph.node(id).op_type;
  const auto operation = pattern.scalar_operation(id, type);
  const float neutral = type == op::kAdd || type == op::kSub ? 0.0F : 1.0F;
  return operation && operation->scalar == neutral;
}

// The operators that may do nothing, and when they do.
const std::map<std::string_view, Rule>& rules() {
  static const std::map<std::string_view, Rule> table = {
      {op::kIdentity, always},          {op::kDropout, is_inference_dropout},
      {op::kCast, casts_to_same_type},  {op::kReshape, keeps_shape},
      {op::kTranspose, keeps_order},    {op::kPad, pads_nothing},
      {op::kSlice, slices_everything},  {op::kSqueeze, has_no_axes},
      {op::kUnsqueeze, has_no_axes},    {op::kResize, resizes_by_one},
      {op::kConcat, has_one_input},     {op::kSum, has_one_input},
      {op::kMax, has_one_input},        {op::kMin, has_one_input},
      {op::kMean, has_one_input},       {op::kAdd, has_neutral_constant},
      {op::kSub, has_neutral_constant}, {op::kMul, has_neutral_constant},
      {op::kDiv, has_neutral_constant}, {op::kPow, has_neutral_constant},
  };
  return table;
}

bool has_unused_extra_outputs(const Graph& graph, const Node& node) {
  for (int i = 1; i < static_cast<int>(node.outputs.size()); ++i) {
    const ValueId output = node.outputs[static_cast<size_t>(i)];
    if (output != kNone && (!graph.consumers(output).empty() || graph.is_output(output))) return false;
  }
  return true;
}

// The input that passes through: either one for x + 0 and x * 1.
ValueId passed_input(const Graph& graph, const Pattern& pattern, NodeId id) {
  const auto operation = pattern.scalar_operation(id, graph.node(id).op_type);
  return operation ? operation->x : graph.node(id).inputs[0];
}

}  // namespace

int remove_identity(Graph& graph) {
  int removed = 0;
  const Pattern pattern(graph);
  for (NodeId id : graph.topological_order()) {
    const Node& node = graph.node(id);
    const auto rule = rules().find(node.op_type);
    if (!node.domain.empty() || rule == rules().end()) continue;
    if (node.input(0) == kNone || node.output(0) == kNone || !has_unused_extra_outputs(graph, node)) continue;
    if (!rule->second(graph, pattern, id)) continue;
    const ValueId from = node.outputs[0];
    const ValueId to = passed_input(graph, pattern, id);
    // What the file declares of the one holds for the other; an output of the graph must have it.
    if (graph.value(to).type.dtype == DType::kUndefined) graph.set_type(to, graph.value(from).type);
    graph.remove_node(id);
    graph.replace_uses(from, to);
    ++removed;
  }
  return removed;
}

}  // namespace twofold
