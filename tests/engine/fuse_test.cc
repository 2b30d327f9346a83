#include "engine/fuse.h"

#include <gtest/gtest.h>

#include "ops/run_op.h"

namespace twofold {
namespace {

using testing::random_tensor;

TensorType float_type(const Shape& shape) {
  std::vector<Dim> dims;
  for (int64_t dim : shape) dims.push_back({dim, ""});
  return {DType::kFloat32, std::move(dims)};
}

// Nodes one behind another, each with one output.
struct Chain {
  Graph graph;

  explicit Chain(const Shape& input) { graph.inputs = {graph.add_value("x", float_type(input))}; }

  ValueId add(const std::string& op, const std::vector<ValueId>& inputs,
              const testing::AttributeList& attributes = {}) {
    const ValueId output = graph.add_value(graph.unique_value_name(op));
    Node node{.name = "", .op_type = op, .domain = "", .inputs = inputs, .outputs = {output}, .attributes = {}};
    for (const auto& [name, value] : attributes) node.attributes.set(name, value);
    graph.add_node(std::move(node));
    return output;
  }
  ValueId constant(Tensor tensor) { return graph.add_constant(graph.unique_value_name("c"), std::move(tensor)); }
  void finish(ValueId output) { graph.outputs = {{"y", output}}; }
};

// Runs the graph with fusions, and without any since every value is watched, and compares.
void expect_fusion_changes_nothing(const Graph& graph, const Tensor& x, double tolerance = 1e-5) {
  ExecutorOptions watching{.threads = 1};
  for (ValueId id = 0; id < graph.num_values(); ++id) watching.watched.push_back(id);
  const Tensor expected = Executor(graph, watching).run({x})[0];
  const Tensor got = Executor(graph, {.threads = 1}).run({x})[0];
  ASSERT_EQ(got.shape(), expected.shape());
  const auto a = got.data<float>(), b = expected.data<float>();
  for (size_t i = 0; i < a.size(); ++i) ASSERT_NEAR(a[i], b[i], tolerance) << i;
}

int nodes_after_fusion(const Graph& graph) {
  return fuse_for_execution(graph, std::vector<bool>(static_cast<size_t>(graph.num_values()), false)).num_nodes();
}

TEST(Fuse, ActivationsBehindConv) {
  const std::vector<std::pair<std::string, testing::AttributeList>> activations = {
      {"Relu", {}},      {"LeakyRelu", {{"alpha", 0.3F}}},
      {"HardSwish", {}}, {"Sigmoid", {}},
      {"Tanh", {}},      {"HardSigmoid", {}},
      {"Gelu", {}},
  };
  for (const auto& [op, attributes] : activations) {
    SCOPED_TRACE(op);
    for (int64_t group : {1, 16}) {
      Chain chain({1, 16, 9, 7});
      const ValueId w = chain.constant(random_tensor({16, 16 / group, 3, 3}, 1));
      const ValueId b = chain.constant(random_tensor({16}, 2));
      chain.finish(chain.add(op, {chain.add("Conv", {chain.graph.inputs[0], w, b}, {{"group", group}})}, attributes));
      EXPECT_EQ(nodes_after_fusion(chain.graph), 1);
      expect_fusion_changes_nothing(chain.graph, random_tensor({1, 16, 9, 7}, 3), 1e-4);
    }
  }
}

TEST(Fuse, ScalarsClipAndResidualKeepTheirOrder) {
  Chain chain({1, 8, 6, 6});
  const ValueId x = chain.graph.inputs[0];
  ValueId y = chain.add("Conv", {x, chain.constant(random_tensor({8, 8, 1, 1}, 1))});
  y = chain.add("Mul", {y, chain.constant(Tensor::scalar(3.0F))});
  y = chain.add("Add", {chain.constant(Tensor::scalar(0.25F)), y});
  y = chain.add("Add", {x, y});
  y = chain.add("Clip", {y, chain.constant(Tensor::scalar(-1.0F)), chain.constant(Tensor::scalar(2.0F))});
  chain.finish(y);
  EXPECT_EQ(nodes_after_fusion(chain.graph), 1);
  expect_fusion_changes_nothing(chain.graph, random_tensor({1, 8, 6, 6}, 3));
  // A second linear step is one too many, unless it follows the first at once.
  y = chain.add("Add", {y, chain.constant(Tensor::scalar(-0.5F))});
  chain.finish(y);
  EXPECT_EQ(nodes_after_fusion(chain.graph), 2);
  expect_fusion_changes_nothing(chain.graph, random_tensor({1, 8, 6, 6}, 3));
}

// Both branches halve a size nobody knows; 3 x 3 with padding 1 and 1 x 1 do it alike.
TEST(Fuse, ResidualsOfUnknownSize) {
  Chain chain({-1, 4, -1, -1});
  const ValueId x = chain.graph.inputs[0];
  const testing::AttributeList halve = {{"strides", std::vector<int64_t>{2, 2}}};
  testing::AttributeList padded = halve;
  padded.emplace_back("pads", std::vector<int64_t>{1, 1, 1, 1});
  const ValueId shortcut = chain.add("Conv", {x, chain.constant(random_tensor({8, 4, 1, 1}, 1))}, halve);
  const ValueId y = chain.add("Conv", {x, chain.constant(random_tensor({8, 4, 3, 3}, 2))}, padded);
  chain.finish(chain.add("Relu", {chain.add("Add", {y, shortcut})}));
  EXPECT_EQ(nodes_after_fusion(chain.graph), 2);
  expect_fusion_changes_nothing(chain.graph, random_tensor({2, 4, 7, 10}, 3));
}

TEST(Fuse, LinearLayers) {
  Chain chain({2, 5, 8});
  const ValueId x = chain.graph.inputs[0];
  ValueId y = chain.add("MatMul", {x, chain.constant(random_tensor({8, 8}, 1))});
  y = chain.add("Relu", {chain.add("Add", {y, chain.constant(random_tensor({8}, 2))})});
  y = chain.add("Add", {chain.add("MatMul", {y, chain.constant(random_tensor({8, 8}, 3))}), x});
  chain.finish(y);
  EXPECT_EQ(nodes_after_fusion(chain.graph), 2);
  expect_fusion_changes_nothing(chain.graph, random_tensor({2, 5, 8}, 4));
}

TEST(Fuse, TransposesAndScalesOfAttention) {
  Chain chain({2, 5, 12});
  const ValueId x = chain.graph.inputs[0];
  const ValueId split = chain.constant(testing::ints({0, 0, 3, 4})), joined = chain.constant(testing::ints({0, 0, 12}));
  const auto heads = [&](const std::vector<int64_t>& perm) {
    return chain.add("Transpose", {chain.add("Reshape", {x, split})}, {{"perm", perm}});
  };
  const ValueId scores = chain.add("MatMul", {heads({0, 2, 1, 3}), heads({0, 2, 3, 1})});
  const ValueId scaled = chain.add("Div", {scores, chain.constant(Tensor::scalar(2.0F))});
  const ValueId mixed = chain.add("MatMul", {scaled, heads({0, 2, 1, 3})});
  const ValueId back = chain.add("Transpose", {mixed}, {{"perm", std::vector<int64_t>{0, 2, 1, 3}}});
  chain.finish(chain.add("Reshape", {back, joined}));
  EXPECT_EQ(nodes_after_fusion(chain.graph), 6);
  expect_fusion_changes_nothing(chain.graph, random_tensor({2, 5, 12}, 4));
}

TEST(Fuse, LeavesWhatIsWatchedSharedOrOfUnprovenShape) {
  {
    Chain chain({1, 8, 6, 6});
    const ValueId y = chain.add("Conv", {chain.graph.inputs[0], chain.constant(random_tensor({8, 8, 1, 1}, 1))});
    chain.finish(chain.add("Add", {chain.add("Relu", {y}), y}));
    EXPECT_EQ(nodes_after_fusion(chain.graph), 3);
  }
  {
    Chain chain({1, 8, -1, 6});
    const ValueId y = chain.add("Conv", {chain.graph.inputs[0], chain.constant(random_tensor({8, 8, 1, 3}, 1))});
    chain.finish(chain.add("Add", {y, chain.graph.inputs[0]}));
    EXPECT_EQ(nodes_after_fusion(chain.graph), 2);
  }
  Chain chain({1, 8, 6, 6});
  const ValueId y = chain.add("Conv", {chain.graph.inputs[0], chain.constant(random_tensor({8, 8, 1, 1}, 1))});
  chain.finish(chain.add("Relu", {y}));
  std::vector<bool> watched(static_cast<size_t>(chain.graph.num_values()), false);
  watched[static_cast<size_t>(y)] = true;
  EXPECT_EQ(fuse_for_execution(chain.graph, watched).num_nodes(), 2);
}

}  // namespace
}  // namespace twofold
