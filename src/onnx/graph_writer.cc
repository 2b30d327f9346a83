#include "onnx/graph_writer.h"

#include <onnx/onnx_pb.h>

#include <algorithm>
#include <set>
#include <unordered_map>
#include <unordered_set>

#include "base/cancellation.h"
#include "base/error.h"
#include "traits/op_names.h"
#include "traits/op_traits.h"

namespace twofold {

namespace {

constexpr int64_t kIrVersion = 10;

int opset_of(const Node& node) {
  if (node.is(op::kAttention)) {
    if (node.attributes.has("left_window_size") || node.attributes.has("right_window_size")) return 25;
    if (node.input(6) != kNone) return 24;
  }
  // Before, ONNX counted the windows of ceil_mode that begin in the padding at the end, which runtimes never had.
  const bool rounds_up = node.attributes.has("ceil_mode") && node.attributes.get_int("ceil_mode", 0) != 0;
  if (rounds_up && (node.is(op::kAveragePool) || node.is(op::kLpPool) || node.is(op::kMaxPool))) return 22;
  return std::max(traits_of(node).opset, kOpset);
}

// Operators with any number of outputs need a place for each; the others do without omitted ones at the end.
size_t num_written_outputs(const Node& node) {
  size_t count = node.outputs.size();
  if (traits_of(node).all_outputs) return count;
  while (count > 0 && node.outputs[count - 1] == kNone) --count;
  return count;
}

// The graph being written and those around it.
struct Scope {
  const Graph& graph;
  const Scope* outer;
  std::unordered_map<ValueId, std::string> names = {};
  std::unordered_set<std::string> taken = {};

  bool is_taken(const std::string& name) const {
    return taken.contains(name) || (outer != nullptr && outer->is_taken(name));
  }
};

void write_type(const TensorType& type, onnx::TypeProto& proto) {
  onnx::TypeProto_Tensor& tensor = *proto.mutable_tensor_type();
  tensor.set_elem_type(static_cast<int>(type.dtype));
  if (!type.shape) return;
  tensor.mutable_shape();
  for (const Dim& dim : *type.shape) {
    onnx::TensorShapeProto_Dimension& out = *tensor.mutable_shape()->add_dim();
    if (dim.value >= 0) {
      out.set_dim_value(dim.value);
    } else if (!dim.symbol.empty()) {
      out.set_dim_param(dim.symbol);
    }
  }
}

void write_value_info(const std::string& name, const TensorType& type, onnx::ValueInfoProto& proto) {
  proto.set_name(name);
  if (type.dtype != DType::kUndefined) write_type(type, *proto.mutable_type());
}

class GraphWriter {
 public:
  GraphWriter(TensorWriter& tensors, onnx::ModelProto& model) : tensors_(tensors), model_(model) {}

  void write(const Graph& graph) {
    Scope scope{graph, nullptr};
    for (ValueId id : graph.inputs) name_value(scope, id, graph.value(id).name);
    write_graph(scope, *model_.mutable_graph());
    model_.set_ir_version(kIrVersion);
    domains_.erase("");
    add_opset("", opset_);
    for (const std::string& domain : domains_) add_opset(domain, 1);
  }

 private:
  using Body = std::shared_ptr<const Graph>;

  static void name_value(Scope& scope, ValueId id, const std::string& name);
  static std::string unique_name(const Scope& scope, const std::string& base);
  static bool is_written(const Scope& scope, ValueId id);
  static bool is_shared_with_outer(const Scope& scope, ValueId id);
  void write_graph(Scope& scope, onnx::GraphProto& proto);
  void write_outputs(Scope& scope, onnx::GraphProto& proto);
  void name_outputs(Scope& scope, std::vector<std::string>& names);
  void write_node(const Scope& scope, const Node& node, onnx::NodeProto& proto);
  void write_attribute(const Attribute& attribute, onnx::AttributeProto& proto);
  void write_body(const Scope& outer, const Node& node, const Graph& body, onnx::GraphProto& proto);
  void add_opset(const std::string& domain, int version);

  TensorWriter& tensors_;
  onnx::ModelProto& model_;
  std::set<std::string> domains_;
  int opset_ = kOpset;
};

void GraphWriter::add_opset(const std::string& domain, int version) {
  onnx::OperatorSetIdProto& import = *model_.add_opset_import();
  import.set_domain(domain);
  import.set_version(version);
}

void GraphWriter::name_value(Scope& scope, ValueId id, const std::string& name) {
  scope.names.emplace(id, name);
  scope.taken.insert(name);
}

std::string GraphWriter::unique_name(const Scope& scope, const std::string& base) {
  std::string name = base;
  for (int i = 1; scope.is_taken(name); ++i) name = fmt::format("{}_{}", base, i);
  return name;
}

// Values that nothing computes and nothing reads are left out.
bool GraphWriter::is_written(const Scope& scope, ValueId id) {
  return scope.graph.producer(id) != kNone || !scope.graph.consumers(id).empty() || scope.graph.is_output(id);
}

// Import gives bodies their own constants for those that they use of the graphs around them.
bool GraphWriter::is_shared_with_outer(const Scope& scope, ValueId id) {
  const Value& value = scope.graph.value(id);
  for (const Scope* outer = scope.outer; outer != nullptr; outer = outer->outer) {
    const ValueId same = outer->graph.find_value(value.name);
    const Tensor* tensor = same == kNone ? nullptr : outer->graph.constant(same);
    const auto name = outer->names.find(same);
    if (tensor != nullptr && name != outer->names.end() && name->second == value.name) {
      return tensor->bytes() == value.constant->bytes() && tensor->dtype() == value.constant->dtype() &&
             tensor->shape() == value.constant->shape();
    }
  }
  return false;
}

// Names of values that outputs stand for, and in `names` those of the outputs.
void GraphWriter::name_outputs(Scope& scope, std::vector<std::string>& names) {
  const Graph& graph = scope.graph;
  for (const GraphOutput& output : graph.outputs) {
    const auto input = scope.names.find(output.value);
    const bool is_that_input = input != scope.names.end() && input->second == output.name && scope.outer == nullptr;
    names.push_back(is_that_input ? output.name : unique_name(scope, output.name));
    scope.taken.insert(names.back());
  }
  const auto claim = [&](size_t i) {
    const ValueId id = graph.outputs[i].value;
    const bool may_be_output = graph.producer(id) != kNone || (graph.constant(id) != nullptr && scope.outer == nullptr);
    if (may_be_output) scope.names.emplace(id, names[i]);
  };
  // An output of the value's own name comes first, so that the value keeps its name.
  for (size_t i = 0; i < names.size(); ++i) {
    if (graph.outputs[i].name == graph.value(graph.outputs[i].value).name) claim(i);
  }
  for (size_t i = 0; i < names.size(); ++i) claim(i);
}

void GraphWriter::write_graph(Scope& scope, onnx::GraphProto& proto) {
  const Graph& graph = scope.graph;
  proto.set_name(graph.name.empty() ? "graph" : graph.name);
  for (size_t i = 0; i + static_cast<size_t>(graph.num_captures) < graph.inputs.size(); ++i) {
    const ValueId id = graph.inputs[i];
    write_value_info(scope.names.at(id), graph.value(id).type, *proto.add_input());
  }
  std::vector<std::string> output_names;
  name_outputs(scope, output_names);
  for (ValueId id = 0; id < graph.num_values(); ++id) {
    if (scope.names.contains(id) || !is_written(scope, id)) continue;
    const std::string& name = graph.value(id).name;
    if (graph.constant(id) != nullptr && is_shared_with_outer(scope, id)) {
      scope.names.emplace(id, name);
    } else {
      name_value(scope, id, unique_name(scope, name));
    }
  }
  for (ValueId id = 0; id < graph.num_values(); ++id) {
    throw_if_cancelled();
    const auto name = scope.names.find(id);
    const Tensor* tensor = graph.constant(id);
    if (name == scope.names.end() || tensor == nullptr || is_shared_with_outer(scope, id)) continue;
    tensors_.write_initializer(*tensor, name->second, *proto.add_initializer());
  }
  for (NodeId id : graph.topological_order()) {
    const Node& node = graph.node(id);
    write_node(scope, node, *proto.add_node());
    for (ValueId output : node.outputs) {
      if (output == kNone || graph.value(output).type.dtype == DType::kUndefined) continue;
      const std::string& name = scope.names.at(output);
      if (std::find(output_names.begin(), output_names.end(), name) != output_names.end()) continue;
      write_value_info(name, graph.value(output).type, *proto.add_value_info());
    }
  }
  for (size_t i = 0; i < output_names.size(); ++i) {
    const ValueId id = graph.outputs[i].value;
    write_value_info(output_names[i], graph.value(id).type, *proto.add_output());
    if (scope.names.at(id) == output_names[i]) continue;
    onnx::NodeProto& identity = *proto.add_node();
    identity.set_op_type(op::kIdentity);
    identity.set_name(graph.unique_node_name(output_names[i] + "_Identity"));
    identity.add_input(scope.names.at(id));
    identity.add_output(output_names[i]);
  }
}

void GraphWriter::write_node(const Scope& scope, const Node& node, onnx::NodeProto& proto) {
  if (node.domain.starts_with("twofold")) {
    throw_error(ErrorCode::kUnsupported,
                "node '{}' ({}) is lowered, which ONNX has no operator for; export the graph before it is lowered",
                node.name, node.op_type);
  }
  domains_.insert(node.domain);
  if (node.domain.empty()) opset_ = std::max(opset_, opset_of(node));
  proto.set_name(node.name);
  proto.set_op_type(node.op_type);
  if (!node.domain.empty()) proto.set_domain(node.domain);
  int captures = 0;
  for (const auto& [name, attribute] : node.attributes) {
    onnx::AttributeProto& out = *proto.add_attribute();
    out.set_name(name);
    if (const auto* body = std::get_if<Body>(&attribute)) {
      out.set_type(onnx::AttributeProto::GRAPH);
      write_body(scope, node, **body, *out.mutable_g());
      captures = (*body)->num_captures;
    } else {
      write_attribute(attribute, out);
    }
  }
  size_t count = node.inputs.size() - static_cast<size_t>(captures);
  while (count > 0 && node.inputs[count - 1] == kNone) --count;
  for (size_t i = 0; i < count; ++i) {
    proto.add_input(node.inputs[i] == kNone ? std::string() : scope.names.at(node.inputs[i]));
  }
  for (size_t i = 0; i < num_written_outputs(node); ++i) {
    proto.add_output(node.outputs[i] == kNone ? std::string() : scope.names.at(node.outputs[i]));
  }
}

void GraphWriter::write_attribute(const Attribute& attribute, onnx::AttributeProto& proto) {
  using Proto = onnx::AttributeProto;
  if (const auto* i = std::get_if<int64_t>(&attribute)) {
    proto.set_type(Proto::INT);
    proto.set_i(*i);
  } else if (const auto* f = std::get_if<float>(&attribute)) {
    proto.set_type(Proto::FLOAT);
    proto.set_f(*f);
  } else if (const auto* s = std::get_if<std::string>(&attribute)) {
    proto.set_type(Proto::STRING);
    proto.set_s(*s);
  } else if (const auto* ints = std::get_if<std::vector<int64_t>>(&attribute)) {
    proto.set_type(Proto::INTS);
    proto.mutable_ints()->Add(ints->begin(), ints->end());
  } else if (const auto* floats = std::get_if<std::vector<float>>(&attribute)) {
    proto.set_type(Proto::FLOATS);
    proto.mutable_floats()->Add(floats->begin(), floats->end());
  } else if (const auto* strings = std::get_if<std::vector<std::string>>(&attribute)) {
    proto.set_type(Proto::STRINGS);
    for (const std::string& text : *strings) proto.add_strings(text);
  } else if (const auto* tensor = std::get_if<Tensor>(&attribute)) {
    proto.set_type(Proto::TENSOR);
    TensorWriter::write_embedded(*tensor, *proto.mutable_t());
  }
}

void GraphWriter::write_body(const Scope& outer, const Node& node, const Graph& body, onnx::GraphProto& proto) {
  Scope scope{body, &outer};
  const size_t captures = static_cast<size_t>(body.num_captures);
  const size_t own_inputs = body.inputs.size() - captures, first_captured = node.inputs.size() - captures;
  for (size_t i = 0; i < body.inputs.size(); ++i) {
    const ValueId id = body.inputs[i];
    if (i < own_inputs) {
      name_value(scope, id, unique_name(scope, body.value(id).name));
    } else {
      scope.names.emplace(id, outer.names.at(node.inputs[first_captured + i - own_inputs]));
    }
  }
  write_graph(scope, proto);
}

}  // namespace

void write_model(const Graph& graph, TensorWriter& tensors, onnx::ModelProto& model) {
  GraphWriter(tensors, model).write(graph);
}

}  // namespace twofold
