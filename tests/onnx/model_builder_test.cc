#include "onnx/model_builder.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>

#include "onnx/import.h"

namespace twofold::testing {

void fill_node(onnx::NodeProto& node, const std::string& op_type, const Names& inputs, const Names& outputs,
               const AttributeList& attributes, const std::string& domain, const std::string& name) {
  node.set_op_type(op_type);
  node.set_domain(domain);
  node.set_name(name);
  for (const std::string& input : inputs) node.add_input(input);
  for (const std::string& output : outputs) node.add_output(output);
  for (const auto& [key, value] : attributes) {
    onnx::AttributeProto& attribute = *node.add_attribute();
    attribute.set_name(key);
    if (const auto* i = std::get_if<int64_t>(&value)) {
      attribute.set_type(onnx::AttributeProto::INT);
      attribute.set_i(*i);
    } else if (const auto* f = std::get_if<float>(&value)) {
      attribute.set_type(onnx::AttributeProto::FLOAT);
      attribute.set_f(*f);
    } else if (const auto* s = std::get_if<std::string>(&value)) {
      attribute.set_type(onnx::AttributeProto::STRING);
      attribute.set_s(*s);
    } else if (const auto* ints = std::get_if<std::vector<int64_t>>(&value)) {
      attribute.set_type(onnx::AttributeProto::INTS);
      for (int64_t v : *ints) attribute.add_ints(v);
    } else if (const auto* floats = std::get_if<std::vector<float>>(&value)) {
      attribute.set_type(onnx::AttributeProto::FLOATS);
      for (float v : *floats) attribute.add_floats(v);
    }
  }
}

void fill_value(onnx::ValueInfoProto& value, const std::string& name, const std::vector<int64_t>& dims, DType dtype) {
  value.set_name(name);
  onnx::TypeProto_Tensor& type = *value.mutable_type()->mutable_tensor_type();
  type.set_elem_type(static_cast<int>(dtype));
  type.mutable_shape();
  for (int64_t dim : dims) type.mutable_shape()->add_dim()->set_dim_value(dim);
}

onnx::FunctionProto& add_function(onnx::ModelProto& model, const std::string& name, const std::string& domain,
                                  const Names& inputs, const Names& outputs) {
  onnx::FunctionProto& function = *model.add_functions();
  function.set_name(name);
  function.set_domain(domain);
  for (const std::string& input : inputs) function.add_input(input);
  for (const std::string& output : outputs) function.add_output(output);
  return function;
}

ModelBuilder::ModelBuilder(int64_t opset) {
  model.set_ir_version(8);
  onnx::OperatorSetIdProto& import = *model.add_opset_import();
  import.set_domain("");
  import.set_version(opset);
  onnx::OperatorSetIdProto& contributed = *model.add_opset_import();
  contributed.set_domain("com.microsoft");
  contributed.set_version(1);
  model.mutable_graph()->set_name("test");
}

ModelBuilder& ModelBuilder::input(const std::string& name, const std::vector<int64_t>& dims, DType dtype) {
  fill_value(*model.mutable_graph()->add_input(), name, dims, dtype);
  return *this;
}

ModelBuilder& ModelBuilder::output(const std::string& name) {
  onnx::ValueInfoProto& value = *model.mutable_graph()->add_output();
  value.set_name(name);
  value.mutable_type()->mutable_tensor_type()->set_elem_type(static_cast<int>(DType::kFloat32));
  return *this;
}

ModelBuilder& ModelBuilder::node(const std::string& op_type, const Names& inputs, const Names& outputs,
                                 const AttributeList& attributes, const std::string& domain, const std::string& name) {
  fill_node(*model.mutable_graph()->add_node(), op_type, inputs, outputs, attributes, domain, name);
  return *this;
}

onnx::TensorProto& ModelBuilder::tensor(const std::string& name, int data_type, const std::vector<int64_t>& dims) {
  onnx::TensorProto& tensor = *model.mutable_graph()->add_initializer();
  tensor.set_name(name);
  tensor.set_data_type(data_type);
  for (int64_t dim : dims) tensor.add_dims(dim);
  return tensor;
}

ModelBuilder& ModelBuilder::floats(const std::string& name, const std::vector<int64_t>& dims,
                                   const std::vector<float>& values) {
  tensor(name, onnx::TensorProto::FLOAT, dims).set_raw_data(values.data(), values.size() * sizeof(float));
  return *this;
}

ModelBuilder& ModelBuilder::ints(const std::string& name, const std::vector<int64_t>& values) {
  onnx::TensorProto& proto = tensor(name, onnx::TensorProto::INT64, {static_cast<int64_t>(values.size())});
  for (int64_t v : values) proto.add_int64_data(v);
  return *this;
}

ModelBuilder& ModelBuilder::small(const std::string& name, DType dtype, const std::vector<int64_t>& dims,
                                  const std::vector<int>& values) {
  onnx::TensorProto& proto = tensor(name, static_cast<int>(dtype), dims);
  for (int v : values) proto.add_int32_data(v);
  return *this;
}

Graph ModelBuilder::import(const std::filesystem::path& folder) const {
  const std::string file = bytes();
  return import_onnx_bytes(std::as_bytes(std::span(file.data(), file.size())), "model", folder);
}

namespace {

std::string bytes_of(const Tensor& tensor) {
  std::string text = fmt::format("{}{}:", to_string(tensor.dtype()), to_string(tensor.shape()));
  for (size_t i = 0; i < tensor.byte_size(); ++i) text += fmt::format("{:02x}", static_cast<int>(tensor.bytes()[i]));
  return text;
}

std::string describe_type(const TensorType& type) {
  std::string text(to_string(type.dtype));
  if (!type.shape) return text;
  for (const Dim& dim : *type.shape) text += fmt::format(" {}{}", dim.value, dim.symbol);
  return text;
}

std::string describe_value(const Graph& graph, ValueId id) {
  if (id == kNone) return "-";
  const Value& value = graph.value(id);
  return fmt::format("{}<{}>{}", value.name, describe_type(value.type),
                     value.constant ? bytes_of(*value.constant) : "");
}

std::string describe_attribute(const Attribute& attribute) {
  if (const auto* i = std::get_if<int64_t>(&attribute)) return std::to_string(*i);
  if (const auto* f = std::get_if<float>(&attribute)) return fmt::format("{}f", *f);
  if (const auto* s = std::get_if<std::string>(&attribute)) return '"' + *s + '"';
  if (const auto* ints = std::get_if<std::vector<int64_t>>(&attribute))
    return fmt::format("ints{}", fmt::join(*ints, ","));
  if (const auto* floats = std::get_if<std::vector<float>>(&attribute)) {
    return fmt::format("floats{}", fmt::join(*floats, ","));
  }
  if (const auto* list = std::get_if<std::vector<std::string>>(&attribute)) {
    return fmt::format("strings{}", fmt::join(*list, ","));
  }
  if (const auto* tensor = std::get_if<Tensor>(&attribute)) return bytes_of(*tensor);
  return "{" + describe(*std::get<std::shared_ptr<const Graph>>(attribute)) + "}";
}

}  // namespace

std::string describe(const Graph& graph) {
  std::string text = fmt::format("{} captures={}\n", graph.name, graph.num_captures);
  for (ValueId id : graph.inputs) text += fmt::format("in {}\n", describe_value(graph, id));
  for (NodeId id : graph.topological_order()) {
    const Node& node = graph.node(id);
    text += fmt::format("{}.{} '{}' origins={}", node.domain, node.op_type, node.name, fmt::join(node.origins, ","));
    for (ValueId input : node.inputs) text += ' ' + describe_value(graph, input);
    text += " ->";
    for (ValueId output : node.outputs) text += ' ' + describe_value(graph, output);
    for (const auto& [name, attribute] : node.attributes)
      text += fmt::format(" {}={}", name, describe_attribute(attribute));
    text += '\n';
  }
  for (const GraphOutput& output : graph.outputs) {
    text += fmt::format("out {}={}\n", output.name, describe_value(graph, output.value));
  }
  for (const auto& [key, value] : graph.metadata) text += fmt::format("meta {}={}\n", key, value);
  return text;
}

std::string operators(const Graph& graph) {
  std::vector<std::string> types;
  for (NodeId id : graph.topological_order()) types.push_back(graph.node(id).op_type);
  return fmt::format("{}", fmt::join(types, " "));
}

const Node& node_named(const Graph& graph, const std::string& name) {
  const NodeId id = graph.find_node(name);
  if (id == kNone) throw std::runtime_error("no node is named " + name);
  return graph.node(id);
}

std::vector<double> constant_input(const Graph& graph, const Node& node, int i) {
  const Tensor* tensor = graph.constant(node.input(i));
  std::vector<double> values;
  if (tensor == nullptr) return values;
  const auto copy = [&](auto data) { values.assign(data.begin(), data.end()); };
  switch (tensor->dtype()) {
    case DType::kFloat32: copy(tensor->data<float>()); break;
    case DType::kInt64: copy(tensor->data<int64_t>()); break;
    case DType::kInt8: copy(tensor->data<int8_t>()); break;
    case DType::kUInt8: copy(tensor->data<uint8_t>()); break;
    default: throw std::runtime_error("unexpected type of a constant");
  }
  return values;
}

TemporaryFolder::TemporaryFolder() {
  std::string pattern = (std::filesystem::temp_directory_path() / "twofold_test.XXXXXX").string();
  if (::mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("cannot make a folder");
  path_ = pattern;
}

TemporaryFolder::~TemporaryFolder() { std::filesystem::remove_all(path_); }

size_t TemporaryFolder::num_files() const {
  return static_cast<size_t>(std::distance(std::filesystem::directory_iterator(path_), {}));
}

TEST(ModelBuilder, DescriptionsDifferWhereGraphsDo) {
  const auto graph = [](float alpha) {
    return ModelBuilder().input("x", {2}).node("Elu", {"x"}, {"y"}, {{"alpha", alpha}}).output("y").import();
  };
  EXPECT_EQ(describe(graph(0.5F)), describe(graph(0.5F)));
  EXPECT_NE(describe(graph(0.5F)), describe(graph(0.25F)));
}

}  // namespace twofold::testing
