#include "infer/element_types.h"

#include <optional>
#include <variant>

#include "base/error.h"
#include "traits/op_traits.h"

namespace twofold {

namespace {

// The type that an attribute of the node names, or holds a tensor of; absent where the operator has no such attribute
// or the node leaves it out.
std::optional<DType> type_of_attribute(const Node& node, const OpTraits& traits) {
  if (traits.type_attribute.empty() || !node.attributes.has(traits.type_attribute)) return std::nullopt;
  if (traits.type_attribute == "value") return node.attributes.get_tensor("value").dtype();
  const auto dtype = static_cast<DType>(node.attributes.get_int(traits.type_attribute, 0));
  if (dtype == DType::kUndefined) return std::nullopt;
  return is_known(dtype) ? dtype : DType::kUndefined;
}

DType type_by_rule(TypeRule rule, const Node& node, const std::vector<DType>& types) {
  const auto input = [&](int i) {
    return node.input(i) == kNone ? DType::kUndefined : types[static_cast<size_t>(node.input(i))];
  };
  switch (rule) {
    case TypeRule::kUnknown: break;
    case TypeRule::kInput0: return input(0);
    case TypeRule::kInput1: return input(1);
    case TypeRule::kInput2: return input(2);
    case TypeRule::kBool: return DType::kBool;
    case TypeRule::kInt32: return DType::kInt32;
    case TypeRule::kInt64: return DType::kInt64;
    case TypeRule::kUInt8: return DType::kUInt8;
    case TypeRule::kFloat32: return DType::kFloat32;
  }
  return DType::kUndefined;
}

DType type_of_output(const Node& node, size_t output, const std::vector<DType>& types) {
  const OpTraits& traits = traits_of(node);
  if (output > 0) return type_by_rule(traits.other_types, node, types);
  try {
    if (const std::optional<DType> named = type_of_attribute(node, traits)) return *named;
  } catch (const Error&) {
    return DType::kUndefined;  // a malformed attribute: running the node says what is wrong
  }
  return type_by_rule(traits.type, node, types);
}

}  // namespace

std::vector<DType> infer_element_types(const Graph& graph, Declarations believed) {
  std::vector<DType> types(static_cast<size_t>(graph.num_values()), DType::kUndefined);
  for (const ValueId id : graph.inputs) types[static_cast<size_t>(id)] = graph.value(id).type.dtype;
  for (ValueId id = 0; id < graph.num_values(); ++id) {
    DType& type = types[static_cast<size_t>(id)];
    if (const Tensor* constant = graph.constant(id)) {
      type = constant->dtype();
    } else if (believed == Declarations::kAll) {
      type = graph.value(id).type.dtype;
    }
  }
  for (const NodeId id : graph.topological_order()) {
    const Node& node = graph.node(id);
    for (size_t i = 0; i < node.outputs.size(); ++i) {
      if (node.outputs[i] == kNone) continue;
      DType& type = types[static_cast<size_t>(node.outputs[i])];
      if (type == DType::kUndefined) type = type_of_output(node, i, types);
    }
  }
  return types;
}

bool is_float(DType dtype) {
  return dtype == DType::kFloat32 || dtype == DType::kFloat16 || dtype == DType::kBFloat16 || dtype == DType::kFloat64;
}

}  // namespace twofold
