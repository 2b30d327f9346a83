#include "infer/infer_types.h"

#include <algorithm>
#include <map>
#include <string_view>

#include "base/error.h"
#include "infer/element_types.h"
#include "infer/shape_rules.h"
#include "traits/op_traits.h"

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

std::optional<Dims> shape_of_input(const Value& value) {
  if (!value.type.shape) return std::nullopt;
  Dims shape;
  for (const Dim& dim : *value.type.shape) shape.push_back(dim.value >= 0 ? dim.value : kUnknownDim);
  return shape;
}

using RuleTable = std::map<std::string_view, void (*)(const Inference&)>;

const RuleTable& rules() {
  static const RuleTable table = [] {
    RuleTable built;
    for (const auto& family : {linear_shape_rules(), movement_shape_rules()}) {
      for (const ShapeFunction& rule : family) built.emplace(rule.op_type, rule.infer);
    }
    return built;
  }();
  return table;
}

// Sets the shape of output 0 of a node, where it is certain.
void infer_shape(const Inference& in) {
  if (!in.node.domain.empty()) return;
  if (const auto rule = rules().find(in.node.op_type); rule != rules().end()) return rule->second(in);
  switch (traits_of(in.node).shape) {
    case ShapeRule::kOther: break;
    case ShapeRule::kSame: in.output(0).shape = in.input(0).shape; break;
    case ShapeRule::kBroadcast:
      std::optional<Dims> shape = in.input(0).shape;
      for (int i = 1; i < static_cast<int>(in.node.inputs.size()); ++i) {
        shape = broadcast_dims(shape, in.input(i).shape);
      }
      in.output(0).shape = std::move(shape);
      break;
  }
}

}  // namespace

std::vector<InferredType> infer_types(const Graph& graph) {
  std::vector<InferredType> types(static_cast<size_t>(graph.num_values()));
  const std::vector<DType> dtypes = infer_element_types(graph, Declarations::kInputs);
  for (size_t i = 0; i < types.size(); ++i) types[i].dtype = dtypes[i];
  for (ValueId id : graph.inputs) types[static_cast<size_t>(id)].shape = shape_of_input(graph.value(id));
  for (ValueId id = 0; id < graph.num_values(); ++id) {
    const Tensor* constant = graph.constant(id);
    if (constant == nullptr) continue;
    types[static_cast<size_t>(id)].shape = constant->shape();
    types[static_cast<size_t>(id)].elements = constant_elements(*constant);
  }
  for (NodeId id : graph.topological_order()) {
    const Node& node = graph.node(id);
    if (node.output(0) == kNone) continue;
    try {
      infer_shape({node, types});
    } catch (const Error&) {
      // A malformed attribute: no shape is known, and running the node says what is wrong.
      for (ValueId output : node.outputs) {
        if (output == kNone) continue;
        types[static_cast<size_t>(output)].shape.reset();
        types[static_cast<size_t>(output)].elements.reset();
      }
    }
  }
  return types;
}

}  // namespace twofold
