#include "gradients/backward_graph.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.h"
#include "infer/element_types.h"
#include "traits/op_names.h"

namespace twofold {

namespace {

TensorType type_of(DType dtype, const Shape& shape) {
  std::vector<Dim> dims;
  for (const int64_t dim : shape) dims.push_back({dim, ""});
  return {dtype, dims};
}

}  // namespace

BackwardGraph::BackwardGraph(const Graph& forward, const std::map<ValueId, Shape>& shapes)
    : forward_(forward), shapes_(shapes), types_(infer_element_types(forward, Declarations::kAll)) {
  graph.name = "backward";
}

const Shape& BackwardGraph::shape(ValueId forward) const {
  if (const Tensor* constant = forward_.constant(forward)) return constant->shape();
  const auto it = shapes_.find(forward);
  if (it == shapes_.end()) {
    throw_error(ErrorCode::kInvalidArgument, "the shape of tensor '{}' is needed", forward_.value(forward).name);
  }
  return it->second;
}

bool BackwardGraph::is_float(ValueId forward) const {
  const DType type = types_[static_cast<size_t>(forward)];
  return type == DType::kUndefined || twofold::is_float(type);
}

std::string BackwardGraph::new_name(std::string_view base) const {
  return graph.unique_value_name(fmt::format("{}_{}", base, graph.num_values()));
}

ValueId BackwardGraph::import(ValueId forward) {
  const Value& value = forward_.value(forward);
  const std::string name = graph.unique_value_name(value.name);
  if (value.constant) return graph.add_constant(name, *value.constant);
  const ValueId id = graph.add_value(name, type_of(types_[static_cast<size_t>(forward)], shape(forward)));
  forward_values.push_back(forward);
  value_inputs.push_back(id);
  return id;
}

Term BackwardGraph::value(ValueId forward) {
  const auto it = values_.find(forward);
  if (it != values_.end()) return it->second;
  Term term{this, import(forward)};
  const DType type = types_[static_cast<size_t>(forward)];
  if (twofold::is_float(type) && type != DType::kFloat32) term = to_type(term, DType::kFloat32);
  return values_[forward] = term;
}

Term BackwardGraph::cotangent(const Shape& shape) {
  cotangents.push_back(graph.add_value(graph.unique_value_name("cotangent"), type_of(DType::kFloat32, shape)));
  return {this, cotangents.back()};
}

Term BackwardGraph::constant(Tensor tensor) {
  return {this, graph.add_constant(new_name("constant"), std::move(tensor))};
}

Term BackwardGraph::scalar(float value) {
  const auto [it, added] = scalars_.try_emplace(value, kNone);
  if (added) it->second = constant(Tensor::scalar(value)).id;
  return {this, it->second};
}

Term BackwardGraph::ints(const std::vector<int64_t>& values) {
  return constant(Tensor::from<int64_t>({static_cast<int64_t>(values.size())}, values));
}

Term BackwardGraph::zeros(const Shape& shape) { return node(op::kConstantOfShape, {ints(shape)}); }

Term BackwardGraph::add(std::string_view op_type, const std::vector<Term>& inputs, Attributes attributes) {
  Node node{.name = "", .op_type = std::string(op_type), .domain = "", .inputs = {}, .outputs = {}, .attributes = {}};
  for (const Term& input : inputs) node.inputs.push_back(input.id);
  node.attributes = std::move(attributes);
  node.outputs.push_back(graph.add_value(new_name(op_type)));
  const Term output{this, node.outputs[0]};
  graph.add_node(std::move(node));
  return output;
}

std::vector<Term> BackwardGraph::outputs(std::string_view op_type, const std::vector<Term>& inputs,
                                         const AttributeList& attributes, int count) {
  std::vector<Term> result = {node(op_type, inputs, attributes)};
  const NodeId id = graph.producer(result[0].id);
  for (int i = 1; i < count; ++i) {
    result.push_back({this, graph.add_value(new_name(op_type))});
    graph.set_output(id, i, result.back().id);
  }
  return result;
}

Term BackwardGraph::node(std::string_view op_type, const std::vector<Term>& inputs, const AttributeList& attributes) {
  Attributes named;
  for (const auto& [name, value] : attributes) named.set(name, value);
  return add(op_type, inputs, std::move(named));
}

Term BackwardGraph::node(std::string_view op_type, const std::vector<Term>& inputs, const Attributes& attributes) {
  return add(op_type, inputs, attributes);
}

}  // namespace twofold
