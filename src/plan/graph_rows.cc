#include "plan/graph_rows.h"

#include <set>

#include "base/error.h"
#include "infer/element_types.h"
#include "traits/signature.h"

namespace twofold {

namespace {

Attribute to_attribute(const AttributeValue& value) {
  if (const auto* number = std::get_if<double>(&value)) return static_cast<float>(*number);
  if (const auto* numbers = std::get_if<std::vector<double>>(&value)) {
    return std::vector<float>(numbers->begin(), numbers->end());
  }
  if (const auto* number = std::get_if<int64_t>(&value)) return *number;
  if (const auto* text = std::get_if<std::string>(&value)) return *text;
  if (const auto* numbers = std::get_if<std::vector<int64_t>>(&value)) return *numbers;
  return std::get<std::vector<std::string>>(value);
}

// Absent for tensors and bodies.
std::optional<AttributeValue> to_value(const Attribute& attribute) {
  if (const auto* number = std::get_if<float>(&attribute)) return static_cast<double>(*number);
  if (const auto* numbers = std::get_if<std::vector<float>>(&attribute)) {
    return std::vector<double>(numbers->begin(), numbers->end());
  }
  if (const auto* number = std::get_if<int64_t>(&attribute)) return *number;
  if (const auto* text = std::get_if<std::string>(&attribute)) return *text;
  if (const auto* numbers = std::get_if<std::vector<int64_t>>(&attribute)) return *numbers;
  if (const auto* texts = std::get_if<std::vector<std::string>>(&attribute)) return *texts;
  return std::nullopt;
}

TensorType type_of(const GraphTensorRow& row) {
  TensorType type{row.dtype, std::nullopt};
  if (!row.shape) return type;
  type.shape.emplace();
  for (const int64_t dim : *row.shape) type.shape->push_back({dim, ""});
  return type;
}

Tensor without_bytes(const GraphTensorRow& row) {
  if (!row.shape || !is_known(row.dtype)) {
    throw_error(ErrorCode::kInvalidModel, "constant '{}' needs a shape and a type", row.name);
  }
  return Tensor::wrap(row.dtype, *row.shape, nullptr, nullptr);
}

class GraphFromRows {
 public:
  explicit GraphFromRows(const GraphRows& rows) : rows_(rows) {}

  Graph build() {
    for (const GraphTensorRow& row : rows_.inputs) {
      graph_.inputs.push_back(graph_.add_value(named(row.name, "inputs"), type_of(row)));
    }
    for (const GraphTensorRow& row : rows_.constants) {
      graph_.add_constant(named(row.name, "constants"), without_bytes(row));
    }
    for (const GraphNodeRow& row : rows_.nodes) add_outputs(row);
    for (const GraphTensorRow& row : rows_.tensors)
      graph_.set_type(find(row.name, "a row of the tensors"), type_of(row));
    for (const GraphNodeRow& row : rows_.nodes) add_node(row);
    for (const GraphOutputRow& row : rows_.outputs) {
      graph_.outputs.push_back({row.name, find(row.tensor, fmt::format("output '{}'", row.name))});
    }
    verify(graph_);
    check_operands(graph_);
    return std::move(graph_);
  }

 private:
  static const std::string& named(const std::string& name, std::string_view what) {
    if (name.empty()) throw_error(ErrorCode::kInvalidModel, "there is a row of the {} without a name", what);
    return name;
  }

  void add_outputs(const GraphNodeRow& row) {
    if (row.op_type.empty()) throw_error(ErrorCode::kInvalidModel, "node '{}' has no operator", row.name);
    if (row.name.empty() || !names_.insert(row.name).second) {
      throw_error(ErrorCode::kInvalidModel, "every node needs a name of its own, and '{}' is none", row.name);
    }
    for (const std::string& output : row.outputs) {
      if (!output.empty()) graph_.add_value(output);
    }
  }

  void add_node(const GraphNodeRow& row) {
    Node node{row.name, row.op_type, row.domain, {}, {}, {}, row.origins};
    const std::string reader = fmt::format("node '{}' ({})", row.name, row.op_type);
    for (const std::string& input : row.inputs) node.inputs.push_back(input.empty() ? kNone : find(input, reader));
    for (const std::string& output : row.outputs) {
      node.outputs.push_back(output.empty() ? kNone : graph_.find_value(output));
    }
    for (const auto& [name, value] : row.attributes) node.attributes.set(name, to_attribute(value));
    graph_.add_node(std::move(node));
  }

  ValueId find(const std::string& tensor, std::string_view reader) const {
    const ValueId id = graph_.find_value(tensor);
    if (id != kNone) return id;
    throw_error(ErrorCode::kInvalidModel, "{} names tensor '{}', which is no input, no constant and no node's output",
                reader, tensor);
  }

  const GraphRows& rows_;
  Graph graph_;
  std::set<std::string> names_;
};

std::optional<Shape> shape_of(const TensorType& type) {
  if (!type.shape) return std::nullopt;
  Shape shape;
  for (const Dim& dim : *type.shape) shape.push_back(dim.value >= 0 ? dim.value : -1);
  return shape;
}

GraphNodeRow row_of(const Graph& graph, const Node& node) {
  const auto name = [&](ValueId id) { return id == kNone ? std::string() : graph.value(id).name; };
  GraphNodeRow row{node.name, node.op_type, node.domain, {}, {}, {}, node.origins};
  for (const ValueId id : node.inputs) row.inputs.push_back(name(id));
  for (const ValueId id : node.outputs) row.outputs.push_back(name(id));
  for (const auto& [key, attribute] : node.attributes) {
    if (std::optional<AttributeValue> value = to_value(attribute)) row.attributes.emplace(key, std::move(*value));
  }
  return row;
}

}  // namespace

Graph graph_from_rows(const GraphRows& rows) { return GraphFromRows(rows).build(); }

Plan resolve_graph_rows(const GraphRows& rows, const QuantConfig& config, const Target& target,
                        const ResolveOptions& options) {
  Plan plan = resolve(graph_from_rows(rows), config, target, options);
  plan.content_hash.clear();
  for (NodeFingerprint& node : plan.nodes) node.content.clear();
  return plan;
}

GraphRows rows_from_graph(const Graph& graph) {
  GraphRows rows;
  const std::vector<DType> types = infer_element_types(graph, Declarations::kAll);
  for (ValueId id = 0; id < graph.num_values(); ++id) {
    const Value& value = graph.value(id);
    if (value.constant) {
      rows.constants.push_back({value.name, value.constant->dtype(), value.constant->shape()});
    } else if (graph.producer(id) != kNone && types[static_cast<size_t>(id)] != DType::kUndefined) {
      rows.tensors.push_back({value.name, types[static_cast<size_t>(id)], shape_of(value.type)});
    }
  }
  for (const ValueId id : graph.inputs) {
    if (!graph.value(id).constant) {
      rows.inputs.push_back({graph.value(id).name, graph.value(id).type.dtype, shape_of(graph.value(id).type)});
    }
  }
  for (const NodeId id : graph.topological_order()) rows.nodes.push_back(row_of(graph, graph.node(id)));
  for (const GraphOutput& output : graph.outputs) {
    rows.outputs.push_back({output.name, graph.value(output.value).name});
  }
  return rows;
}

}  // namespace twofold
