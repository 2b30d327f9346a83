#include "onnx/graph_reader.h"

#include <onnx/onnx_pb.h>

#include <algorithm>
#include <unordered_map>
#include <unordered_set>

#include "base/cancellation.h"
#include "base/error.h"
#include "onnx/attribute_reader.h"
#include "onnx/function_table.h"
#include "onnx/reading_scope.h"
#include "onnx/type_reader.h"
#include "onnx/upgrade.h"
#include "traits/attribute_types.h"
#include "traits/op_names.h"

namespace twofold {

namespace {

constexpr size_t kMaxCallDepth = 64;
// What inlining may add, and what a node takes beyond the bytes of its message and names.
constexpr size_t kMaxInlinedBytes = size_t{256} << 20, kBytesPerNode = 512;

class GraphReader {
 public:
  GraphReader(onnx::ModelProto& model, const std::vector<std::filesystem::path>& folders, const OriginsByNode& origins)
      : model_(model),
        origins_(origins),
        functions_(model),
        opsets_(read_opsets(model)),
        tensors_(folders),
        attributes_(tensors_) {}

  Graph read();

 private:
  using Nodes = google::protobuf::RepeatedPtrField<onnx::NodeProto>;

  void read_graph(onnx::GraphProto& proto, Scope& scope, bool is_body);
  void read_initializers(onnx::GraphProto& proto, Scope& scope);
  void add_constant(Scope& scope, const std::string& name, Tensor tensor);
  void declare_outputs(Nodes& nodes, Scope& scope);
  void declare_constant(onnx::NodeProto& proto, Scope& scope);
  void read_nodes(Nodes& nodes, Scope& scope);
  void read_node(onnx::NodeProto& proto, std::string name, Scope& scope);
  void inline_call(const onnx::NodeProto& proto, const FunctionTable::Function& function, const std::string& name,
                   Scope& scope);
  Body read_body(onnx::AttributeProto& proto, const std::string& node, Scope& scope);
  void attach_bodies(std::vector<Body> bodies, Node& node);
  static Graph finish(GraphInReading& target);

  ValueId declare(Scope& scope, std::string_view name);
  ValueId resolve(Scope& scope, const std::string& name);
  // The attribute itself, or what the call of the function passes for it; nullptr if that is nothing.
  static onnx::AttributeProto* actual(onnx::AttributeProto& proto, const Scope& scope);
  int64_t version_of(const onnx::NodeProto& proto, const Scope& scope) const;
  static std::string unique_node_name(std::string base, const std::unordered_set<std::string_view>& given,
                                      Scope& scope);

  onnx::ModelProto& model_;
  const OriginsByNode& origins_;
  FunctionTable functions_;
  Opsets opsets_;
  TensorReader tensors_;
  AttributeReader attributes_;
  size_t inlined_bytes_ = 0;
};

bool is_constant_node(const onnx::NodeProto& proto) {
  return proto.op_type() == op::kConstant && canonical_domain(proto.domain()).empty();
}

Graph GraphReader::read() {
  GraphInReading target;
  Scope scope{&target, &opsets_};
  read_graph(*model_.mutable_graph(), scope, false);
  return finish(target);
}

Graph GraphReader::finish(GraphInReading& target) {
  for (const auto& [id, version] : target.versions) {
    throw_if_cancelled();
    upgrade_node(target.graph, id, version);
    const Node& node = target.graph.node(id);
    if (node.domain.empty()) check_attributes(node, traits_of(node.op_type));
  }
  check_operands(target.graph);  // of the nodes that rules add
  target.graph.compact();
  return std::move(target.graph);
}

void GraphReader::read_graph(onnx::GraphProto& proto, Scope& scope, bool is_body) {
  Graph& graph = scope.graph();
  graph.name = proto.name();
  for (const onnx::ValueInfoProto& info : proto.value_info()) scope.types.emplace(info.name(), &info.type());
  for (const onnx::ValueInfoProto& info : proto.output()) scope.types.emplace(info.name(), &info.type());
  std::unordered_set<std::string_view> initialized;
  if (!is_body) {
    for (const onnx::TensorProto& tensor : proto.initializer()) initialized.insert(tensor.name());
  }
  for (const onnx::ValueInfoProto& info : proto.input()) {
    if (initialized.contains(info.name())) continue;
    TensorType type =
        is_body ? read_type(info.type()) : read_input_type(info.type(), fmt::format("input '{}'", info.name()));
    const ValueId id = graph.add_value(info.name(), std::move(type));
    scope.names.emplace(info.name(), id);
    graph.inputs.push_back(id);
  }
  read_initializers(proto, scope);
  declare_outputs(*proto.mutable_node(), scope);
  read_nodes(*proto.mutable_node(), scope);
  for (const onnx::ValueInfoProto& info : proto.output()) {
    const ValueId id = resolve(scope, info.name());
    if (id == kNone) throw_error(ErrorCode::kInvalidModel, "nothing computes output '{}'", info.name());
    graph.outputs.push_back({info.name(), id});
  }
}

void GraphReader::read_initializers(onnx::GraphProto& proto, Scope& scope) {
  for (onnx::TensorProto& tensor : *proto.mutable_initializer()) {
    throw_if_cancelled();
    // An input of a body is given by the node, whatever the initializer says.
    if (const auto it = scope.names.find(tensor.name());
        it != scope.names.end() && scope.graph().is_input(it->second)) {
      continue;
    }
    add_constant(scope, tensor.name(), tensors_.read(tensor, fmt::format("initializer '{}'", tensor.name())));
  }
  for (onnx::SparseTensorProto& tensor : *proto.mutable_sparse_initializer()) {
    const std::string& name = tensor.values().name();
    add_constant(scope, name, tensors_.read_sparse(tensor, fmt::format("initializer '{}'", name)));
  }
}

void GraphReader::add_constant(Scope& scope, const std::string& name, Tensor tensor) {
  if (name.empty()) throw_error(ErrorCode::kInvalidModel, "an initializer has no name");
  scope.names.emplace(name, scope.graph().add_constant(name, std::move(tensor)));
}

ValueId GraphReader::declare(Scope& scope, std::string_view name) {
  const auto [it, fresh] = scope.names.try_emplace(name, kNone);
  if (!fresh && it->second != kNone) return it->second;
  const auto type = scope.types.find(name);
  const std::string full = scope.prefix + std::string(name);
  it->second = scope.graph().add_value(scope.prefix.empty() ? full : scope.graph().unique_value_name(full),
                                       type == scope.types.end() ? TensorType{} : read_type(*type->second));
  return it->second;
}

// Names of all outputs before any node is read: files need not be in order.
void GraphReader::declare_outputs(Nodes& nodes, Scope& scope) {
  for (onnx::NodeProto& node : nodes) {
    for (const std::string& output : node.output()) {
      if (!output.empty()) declare(scope, output);
    }
  }
  for (onnx::NodeProto& node : nodes) {
    if (is_constant_node(node) && functions_.find(node) == nullptr) declare_constant(node, scope);
  }
}

void GraphReader::declare_constant(onnx::NodeProto& proto, Scope& scope) {
  if (proto.output_size() == 0 || proto.output(0).empty()) return;
  const std::string& output = proto.output(0);
  const ValueId id = scope.names.at(output);
  if (scope.graph().constant(id) != nullptr || scope.graph().is_input(id)) {
    throw_error(ErrorCode::kInvalidModel, "tensor '{}' is computed twice, the second time by a Constant", output);
  }
  onnx::AttributeProto* value = nullptr;
  for (onnx::AttributeProto& attribute : *proto.mutable_attribute()) {
    if (onnx::AttributeProto* given = actual(attribute, scope)) value = given;
  }
  if (value == nullptr) throw_error(ErrorCode::kInvalidModel, "the Constant that makes '{}' has no value", output);
  scope.graph().set_constant(id, attributes_.read_constant(*value, fmt::format("constant '{}'", output)));
}

std::string GraphReader::unique_node_name(std::string base, const std::unordered_set<std::string_view>& given,
                                          Scope& scope) {
  if (scope.graph().find_node(base) == kNone && !given.contains(base)) return base;
  for (int& i = scope.target->suffixes[base];;) {
    std::string name = fmt::format("{}_{}", base, ++i);
    if (scope.graph().find_node(name) == kNone && !given.contains(name)) return name;
  }
}

void GraphReader::read_nodes(Nodes& nodes, Scope& scope) {
  std::unordered_set<std::string_view> given;  // names in the file, which made-up ones give way to
  for (const onnx::NodeProto& node : nodes) given.insert(node.name());
  std::unordered_set<std::string_view> seen;
  for (int i = 0; i < nodes.size(); ++i) {
    throw_if_cancelled();
    onnx::NodeProto& node = nodes[i];
    const FunctionTable::Function* function = functions_.find(node);
    if (function == nullptr && is_constant_node(node)) continue;
    if (node.op_type().empty()) throw_error(ErrorCode::kInvalidModel, "node {} ('{}') has no operator", i, node.name());
    std::string name;
    if (node.name().empty()) {
      name = unique_node_name(fmt::format("{}{}_{}", scope.prefix, node.op_type(), i), given, scope);
    } else if (seen.insert(node.name()).second && scope.graph().find_node(scope.prefix + node.name()) == kNone) {
      name = scope.prefix + node.name();
    } else {
      name = unique_node_name(scope.prefix + node.name(), given, scope);
    }
    if (scope.arguments != nullptr) {
      inlined_bytes_ +=
          kBytesPerNode + node.ByteSizeLong() + scope.prefix.size() * static_cast<size_t>(1 + node.output_size());
      if (inlined_bytes_ > kMaxInlinedBytes) {
        throw_error(ErrorCode::kResourceExhausted, "the model's functions, inlined, would take more than {} bytes",
                    kMaxInlinedBytes);
      }
    }
    if (function != nullptr) {
      inline_call(node, *function, name, scope);
    } else {
      read_node(node, std::move(name), scope);
    }
  }
}

int64_t GraphReader::version_of(const onnx::NodeProto& proto, const Scope& scope) const {
  const std::string_view domain = canonical_domain(proto.domain());
  const auto it = scope.opsets->find(domain);
  if (it != scope.opsets->end()) return it->second;
  if (!domain.empty()) return 1;
  throw_error(ErrorCode::kInvalidModel, "node '{}' ({}) uses ONNX's operators, but the file does not say which opset",
              proto.name(), proto.op_type());
}

onnx::AttributeProto* GraphReader::actual(onnx::AttributeProto& proto, const Scope& scope) {
  if (proto.ref_attr_name().empty()) return &proto;
  if (scope.arguments == nullptr) {
    throw_error(ErrorCode::kInvalidModel, "attribute '{}' refers to '{}' of a function, but is not in a function",
                proto.name(), proto.ref_attr_name());
  }
  const auto it = scope.arguments->find(proto.ref_attr_name());
  return it == scope.arguments->end() ? nullptr : it->second;
}

void GraphReader::read_node(onnx::NodeProto& proto, std::string name, Scope& scope) {
  Node node;
  node.name = name;
  node.op_type = proto.op_type();
  node.domain = canonical_domain(proto.domain());
  check_domain(node.domain, node.name, node.op_type);
  for (const std::string& input : proto.input()) {
    node.inputs.push_back(input.empty() ? kNone : resolve(scope, input));
    if (!input.empty() && node.inputs.back() == kNone && !scope.names.contains(input)) {
      throw_error(ErrorCode::kInvalidModel, "node '{}' ({}) reads tensor '{}', which nothing computes", name,
                  node.op_type, input);
    }
  }
  for (const std::string& output : proto.output()) {
    node.outputs.push_back(output.empty() ? kNone : scope.names.at(output));
  }
  const int64_t version = version_of(proto, scope);
  if (const auto signature = signature_of(node.domain, node.op_type, version)) {
    check_operands(node, *signature);
    check_types(scope.graph(), node, *signature);
  }
  std::vector<Body> bodies;
  std::unordered_set<std::string_view> names;
  for (onnx::AttributeProto& attribute : *proto.mutable_attribute()) {
    onnx::AttributeProto* given = actual(attribute, scope);
    if (given == nullptr) continue;
    if (!names.insert(attribute.name()).second) {
      throw_error(ErrorCode::kInvalidModel, "node '{}' ({}): attribute '{}' is given twice", name, node.op_type,
                  attribute.name());
    }
    if (!AttributeReader::is_graph(*given)) {
      const std::string what = fmt::format("attribute '{}' of node '{}' ({})", attribute.name(), name, node.op_type);
      node.attributes.set(attribute.name(), attributes_.read(*given, what));
    } else if (given == &attribute) {
      bodies.push_back(read_body(attribute, name, scope));
    } else {
      throw_error(ErrorCode::kUnsupported, "node '{}' passes a graph as the argument of a function", name);
    }
  }
  attach_bodies(std::move(bodies), node);
  if (const auto known = origins_.find(scope.path + name); known != origins_.end()) {
    node.origins = known->second;
  } else {
    node.origins = {std::move(name)};
    node.origins.insert(node.origins.end(), scope.calls.begin(), scope.calls.end());
  }
  scope.target->versions.emplace_back(scope.graph().add_node(std::move(node)), version);
}

Body GraphReader::read_body(onnx::AttributeProto& proto, const std::string& node, Scope& scope) {
  Body body{proto.name(), std::make_shared<GraphInReading>(), {}};
  Scope inner{body.target.get(), scope.opsets, &scope, scope.arguments, scope.calls};
  inner.depth = scope.depth + 1;
  if (inner.depth > kMaxBodyDepth) {
    throw_error(ErrorCode::kUnsupported, "node '{}': bodies of If, Loop and Scan are nested more than {} deep", node,
                kMaxBodyDepth);
  }
  inner.path = origins_prefix(scope.path, node, proto.name());
  read_graph(*proto.mutable_g(), inner, true);
  body.captures = std::move(inner.captures);
  return body;
}

// What any body captures becomes an input of the node and, in the same order, of every body.
void GraphReader::attach_bodies(std::vector<Body> bodies, Node& node) {
  std::vector<ValueId> captured;
  std::unordered_set<ValueId> known;
  for (const Body& body : bodies) {
    for (const auto& [outer, inner] : body.captures) {
      if (known.insert(outer).second) captured.push_back(outer);
    }
  }
  for (Body& body : bodies) {
    Graph& graph = body.target->graph;
    const std::unordered_map<ValueId, ValueId> own(body.captures.begin(), body.captures.end());
    for (ValueId outer : captured) {
      const auto it = own.find(outer);
      graph.inputs.push_back(
          it != own.end() ? it->second : graph.add_value(graph.unique_value_name(fmt::format("unused_{}", outer))));
    }
    graph.num_captures = static_cast<int>(captured.size());
    node.attributes.set(body.attribute, std::make_shared<const Graph>(finish(*body.target)));
  }
  node.inputs.insert(node.inputs.end(), captured.begin(), captured.end());
}

ValueId GraphReader::resolve(Scope& scope, const std::string& name) {
  if (const auto it = scope.names.find(name); it != scope.names.end()) return it->second;
  if (scope.outer == nullptr) return kNone;
  const ValueId outer = resolve(*scope.outer, name);
  if (outer == kNone) return kNone;
  const Value& value = scope.outer->graph().value(outer);
  Graph& graph = scope.graph();
  const std::string inner_name = graph.unique_value_name(value.name);
  ValueId inner;
  if (value.constant) {
    inner = graph.add_constant(inner_name, *value.constant);
  } else {
    inner = graph.add_value(inner_name, value.type);
    scope.captures.emplace_back(outer, inner);
  }
  scope.names.emplace(name, inner);
  return inner;
}

void GraphReader::inline_call(const onnx::NodeProto& proto, const FunctionTable::Function& function,
                              const std::string& name, Scope& scope) {
  onnx::FunctionProto& callee = *function.proto;
  if (scope.calls.size() >= kMaxCallDepth) {
    throw_error(ErrorCode::kInvalidModel, "function '{}' calls itself, or calls are nested more than {} deep",
                callee.name(), kMaxCallDepth);
  }
  if (proto.input_size() > callee.input_size() || proto.output_size() > callee.output_size()) {
    throw_error(ErrorCode::kInvalidModel,
                "node '{}' calls function '{}' with {} inputs and {} outputs; it has {} and {}", name, callee.name(),
                proto.input_size(), proto.output_size(), callee.input_size(), callee.output_size());
  }
  Arguments arguments(function.defaults.begin(), function.defaults.end());
  for (const onnx::AttributeProto& attribute : proto.attribute()) {
    auto* given = actual(const_cast<onnx::AttributeProto&>(attribute), scope);
    if (given != nullptr) arguments.insert_or_assign(attribute.name(), given);
  }
  Scope inner{scope.target, &function.opsets, nullptr, &arguments, scope.calls, name + "/", scope.path, scope.depth};
  inner.calls.push_back(name);
  for (int i = 0; i < callee.input_size(); ++i) {
    const bool passed = i < proto.input_size() && !proto.input(i).empty();
    const ValueId id = passed ? resolve(scope, proto.input(i)) : kNone;
    if (passed && id == kNone && !scope.names.contains(proto.input(i))) {
      throw_error(ErrorCode::kInvalidModel, "node '{}' ({}) reads tensor '{}', which nothing computes", name,
                  proto.op_type(), proto.input(i));
    }
    inner.names.emplace(callee.input(i), id);
  }
  std::vector<std::pair<std::string, ValueId>> forwarded;  // outputs that are inputs, or other outputs
  for (int i = 0; i < proto.output_size(); ++i) {
    if (proto.output(i).empty()) continue;
    const ValueId id = scope.names.at(proto.output(i));
    if (!inner.names.emplace(callee.output(i), id).second) forwarded.emplace_back(callee.output(i), id);
  }
  declare_outputs(*callee.mutable_node(), inner);
  read_nodes(*callee.mutable_node(), inner);
  for (const auto& [source, id] : forwarded) {
    Node identity{
        unique_node_name(name + "/Identity", {}, scope), op::kIdentity, "", {inner.names.at(source)}, {id}, {}};
    identity.origins = inner.calls;
    scope.graph().add_node(std::move(identity));
  }
}

}  // namespace

Graph read_model(onnx::ModelProto& model, const std::vector<std::filesystem::path>& folders,
                 const OriginsByNode& origins) {
  return GraphReader(model, folders, origins).read();
}

}  // namespace twofold
