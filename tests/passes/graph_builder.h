// Small graphs written down in a line per node, and a look at what is left of them.
#ifndef TWOFOLD_TESTS_PASSES_GRAPH_BUILDER_H_
#define TWOFOLD_TESTS_PASSES_GRAPH_BUILDER_H_

#include <string>
#include <vector>

#include "graph/graph.h"

namespace twofold {

class GraphBuilder {
 public:
  Graph graph;

  // A float32 input of the graph; -1 is an unknown dimension.
  ValueId input(const std::string& name, const Shape& shape, DType dtype = DType::kFloat32) {
    std::vector<Dim> dims;
    for (int64_t dim : shape) dims.push_back({dim, ""});
    graph.inputs.push_back(graph.add_value(name, {dtype, dims}));
    return graph.inputs.back();
  }
  ValueId input_of_unknown_rank(const std::string& name) {
    graph.inputs.push_back(graph.add_value(name, {DType::kFloat32, std::nullopt}));
    return graph.inputs.back();
  }
  ValueId floats(const Shape& shape, const std::vector<float>& values) {
    return graph.add_constant(graph.unique_value_name("c"), Tensor::from<float>(shape, values));
  }
  ValueId scalar(float value) { return floats({}, {value}); }
  ValueId ints(const std::vector<int64_t>& values) {
    return graph.add_constant(graph.unique_value_name("c"),
                              Tensor::from<int64_t>({static_cast<int64_t>(values.size())}, values));
  }
  // Values 0.1, -0.2, 0.3, ... so that no two slices of a weight are alike.
  ValueId ramp(const Shape& shape) {
    std::vector<float> values(static_cast<size_t>(num_elements(shape)));
    for (size_t i = 0; i < values.size(); ++i) {
      values[i] = (i % 2 == 0 ? 0.1F : -0.1F) * static_cast<float>(i % 13 + 1);
    }
    return floats(shape, values);
  }
  // A node with one output; both are called `name`.
  ValueId node(const std::string& name, const std::string& op_type, const std::vector<ValueId>& inputs,
               const std::vector<std::pair<std::string, Attribute>>& attributes = {}) {
    const ValueId output = graph.add_value(name);
    Node node{name, op_type, "", inputs, {output}, {}, {}};
    for (const auto& [key, value] : attributes) node.attributes.set(key, value);
    graph.add_node(std::move(node));
    return output;
  }
  void output(ValueId value) { graph.outputs.push_back({graph.value(value).name, value}); }
};

// The op types in topological order: "Conv Relu".
inline std::string ops(const Graph& graph) {
  std::string list;
  for (NodeId id : graph.topological_order()) list += (list.empty() ? "" : " ") + graph.node(id).op_type;
  return list;
}

// The elements of a float constant.
inline std::vector<float> constant_floats(const Graph& graph, ValueId id) {
  const std::span<const float> values = graph.constant(id)->data<float>();
  return {values.begin(), values.end()};
}

}  // namespace twofold

#endif  // TWOFOLD_TESTS_PASSES_GRAPH_BUILDER_H_
