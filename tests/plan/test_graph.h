// Small graphs for the tests of plans.
#ifndef TWOFOLD_TESTS_PLAN_TEST_GRAPH_H_
#define TWOFOLD_TESTS_PLAN_TEST_GRAPH_H_

#include <string>
#include <vector>

#include "graph/graph.h"

namespace twofold {

// Builds a graph node by node; names of tensors connect them.
class GraphMaker {
 public:
  Graph graph;

  GraphMaker& input(const std::string& name, DType dtype = DType::kFloat32) {
    graph.inputs.push_back(graph.add_value(name, {dtype, std::nullopt}));
    return *this;
  }
  GraphMaker& weight(const std::string& name) {
    graph.add_constant(name, Tensor::scalar(1.0F));
    return *this;
  }
  GraphMaker& indices(const std::string& name) {
    graph.add_constant(name, Tensor::scalar(int64_t{1}));
    return *this;
  }
  // An empty name of an input omits it.
  GraphMaker& node(const std::string& op_type, const std::string& name, const std::vector<std::string>& inputs,
                   const std::vector<std::string>& outputs, std::vector<std::string> origins = {}) {
    Node node{name, op_type, "", {}, {}, {}, std::move(origins)};
    for (const std::string& value : inputs) node.inputs.push_back(value.empty() ? kNone : graph.find_value(value));
    for (const std::string& value : outputs) node.outputs.push_back(graph.add_value(value));
    graph.add_node(std::move(node));
    return *this;
  }
  GraphMaker& output(const std::string& name) {
    graph.outputs.push_back({name, graph.find_value(name)});
    return *this;
  }
};

// x -> Conv_1 (w1, b1; Relu_1 fused) -> MatMul_2 (with y) -> Add_3 (with z) -> Softmax_4 -> Reshape_5 -> out
inline Graph small_graph() {
  GraphMaker maker;
  maker.input("x").input("y").input("z").weight("w1").weight("b1").indices("shape");
  maker.node("Conv", "Conv_1", {"x", "w1", "b1"}, {"c"}, {"Conv_1", "Relu_1"});
  maker.node("MatMul", "MatMul_2", {"c", "y"}, {"m"});
  maker.node("Add", "Add_3", {"m", "z"}, {"a"});
  maker.node("Softmax", "Softmax_4", {"a"}, {"s"});
  maker.node("Reshape", "Reshape_5", {"s", "shape"}, {"out"});
  maker.output("out");
  return maker.graph;
}

}  // namespace twofold

#endif  // TWOFOLD_TESTS_PLAN_TEST_GRAPH_H_
