#include "passes/infer_types.h"

#include <algorithm>
#include <map>
#include <string_view>

#include "base/error.h"
#include "passes/type_rules.h"

namespace twofold {

bool InferredType::is_static() const {
  return shape && std::find(shape->begin(), shape->end(), kUnknownDim) == shape->end();
}

namespace {

std::optional<Dims> constant_elements(const Tensor& tensor) {
  if (tensor.rank() > 1 || tensor.size() > kMaxElements) return std::nullopt;
  if (tensor.dtype() == DType::kInt64) return Dims(tensor.data<int64_t>().begin(), tensor.data<int64_t>().end());
  if (tensor.dtype() == DType::kInt32) return Dims(tensor.data<int32_t>().begin(), tensor.data<int32_t>().end());
  return std::nullopt;
}

InferredType type_of_constant(const Tensor& tensor) {
  return {tensor.dtype(), tensor.shape(), constant_elements(tensor)};
}

InferredType type_of_input(const Value& value) {
  InferredType type{value.type.dtype, std::nullopt, std::nullopt};
  if (!value.type.shape) return type;
  type.shape.emplace();
  for (const Dim& dim : *value.type.shape) type.shape->push_back(dim.value >= 0 ? dim.value : kUnknownDim);
  return type;
}

using RuleTable = std::map<std::string_view, void (*)(const Inference&)>;

const RuleTable& rules() {
  static const RuleTable table = [] {
    RuleTable built;
    for (const auto& family : {elementwise_type_rules(), linear_type_rules(), movement_type_rules()}) {
      for (const TypeRule& rule : family) built.emplace(rule.op_type, rule.infer);
    }
    return built;
  }();
  return table;
}

}  // namespace

std::vector<InferredType> infer_types(const Graph& graph) {
  std::vector<InferredType> types(static_cast<size_t>(graph.num_values()));
  for (ValueId id : graph.inputs) types[static_cast<size_t>(id)] = type_of_input(graph.value(id));
  for (ValueId id = 0; id < graph.num_values(); ++id) {
    if (const Tensor* constant = graph.constant(id)) types[static_cast<size_t>(id)] = type_of_constant(*constant);
  }
  for (NodeId id : graph.topological_order()) {
    const Node& node = graph.node(id);
    const auto rule = rules().find(node.op_type);
    if (!node.domain.empty() || rule == rules().end() || node.output(0) == kNone) continue;
    try {
      rule->second({node, types});
    } catch (const Error&) {
      // A malformed attribute: nothing is known, and running the node says what is wrong.
      for (ValueId output : node.outputs) {
        if (output != kNone) types[static_cast<size_t>(output)] = {};
      }
    }
  }
  return types;
}

}  // namespace twofold
