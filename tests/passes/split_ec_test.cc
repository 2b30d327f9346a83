#include "passes/split_ec.h"

#include <gtest/gtest.h>

#include <limits>

#include "base/error.h"
#include "passes/graph_builder.h"
#include "passes/same_results.h"

namespace twofold {
namespace {

// The message of the error that splitting throws; "" where it throws none.
std::string message(Graph& graph, const std::vector<std::string>& nodes, ErrorCode code) {
  try {
    split_ec(graph, nodes);
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), code);
    return error.what();
  }
  return "";
}

TEST(SplitEc, WritesTwoOperatorsAndAnAdd) {
  GraphBuilder b;
  const ValueId x = b.input("x", {1, 1, 1, 4});
  // Channel 0: s1 = 1; 2.5 is a tie and goes to 2. Channel 1 is all zero: s1 = 1. Channel 2: s1 = 2.
  const ValueId w = b.floats({3, 1, 1, 2}, {-127, 2.5F, 0, 0, 254, -0.75F});
  const ValueId y =
      b.node("conv", "Conv", {x, w, b.floats({3}, {1, 2, 3})}, {{"pads", std::vector<int64_t>{0, 1, 0, 0}}});
  b.output(b.node("relu", "Relu", {y}));
  const Graph before = b.graph;
  split_ec(b.graph, {"conv"});
  expect_same_results(before, b.graph);

  const Node& main = b.graph.node(b.graph.find_node("conv"));
  const Node& residual = b.graph.node(b.graph.find_node("conv_residual"));
  const Node& sum = b.graph.node(b.graph.find_node("conv_sum"));
  EXPECT_EQ(constant_floats(b.graph, main.input(1)), (std::vector<float>{-127, 2, 0, 0, 254, 0}));
  EXPECT_EQ(constant_floats(b.graph, residual.input(1)), (std::vector<float>{0, 0.5F, 0, 0, 0, -0.75F}));
  EXPECT_EQ(constant_floats(b.graph, main.input(2)), (std::vector<float>{1, 2, 3}));
  EXPECT_EQ(residual.inputs.size(), 2U);
  EXPECT_EQ(residual.op_type, "Conv");
  EXPECT_EQ(residual.attributes.get_ints("pads", {}), (std::vector<int64_t>{0, 1, 0, 0}));
  EXPECT_EQ(sum.op_type, "Add");
  EXPECT_EQ(sum.outputs[0], y);
  EXPECT_EQ(sum.inputs, (std::vector<ValueId>{main.outputs[0], residual.outputs[0]}));
  EXPECT_EQ(sum.origins, (std::vector<std::string>{"conv"}));
}

TEST(SplitEc, ScalesTheOutputChannelsOfEveryOperator) {
  for (const std::string op : {"MatMul", "Gemm"}) {
    GraphBuilder b;
    // Columns are the channels: s1 = {1, 2}.
    const ValueId w = b.floats({2, 2}, {127, 3, 0.25F, -254});
    b.output(b.node("y", op, {b.input("x", {3, 2}), w}));
    const Graph before = b.graph;
    split_ec(b.graph, {"y"});
    expect_same_results(before, b.graph);
    EXPECT_EQ(constant_floats(b.graph, b.graph.node(b.graph.find_node("y")).input(1)),
              (std::vector<float>{127, 4, 0, -254}));
    EXPECT_EQ(constant_floats(b.graph, b.graph.node(b.graph.find_node("y_residual")).input(1)),
              (std::vector<float>{0, -1, 0.25F, 0}));
  }
  GraphBuilder b;
  // Two groups, one channel each: rows 0, 1 and rows 2, 3.
  const ValueId w = b.floats({4, 1, 1}, {127, 0.4F, 254, 0.6F});
  b.output(b.node("y", "ConvTranspose", {b.input("x", {1, 4, 3}), w}, {{"group", int64_t{2}}}));
  const Graph before = b.graph;
  split_ec(b.graph, {"y", "y"});
  expect_same_results(before, b.graph);
  EXPECT_EQ(constant_floats(b.graph, b.graph.node(b.graph.find_node("y")).input(1)),
            (std::vector<float>{127, 0, 254, 0}));
}

TEST(SplitEc, CopiesASharedWeightAndKeepsAnOutputsName) {
  GraphBuilder b;
  const ValueId x = b.input("x", {2, 2}), w = b.floats({2, 2}, {127, 3, 0.25F, -254});
  b.output(b.node("a", "MatMul", {x, w}));
  b.output(b.node("b", "MatMul", {x, w}));
  const Graph before = b.graph;
  split_ec(b.graph, {"a"});
  expect_same_results(before, b.graph);
  EXPECT_EQ(constant_floats(b.graph, w), (std::vector<float>{127, 3, 0.25F, -254}));
  EXPECT_EQ(b.graph.value(b.graph.outputs[0].value).name, "a");
}

TEST(SplitEc, RefusesAndChangesNothing) {
  GraphBuilder b;
  const ValueId x = b.input("x", {2, 2});
  const ValueId fine = b.node("fine", "MatMul", {x, b.floats({2, 2}, {1, 2, 3, 4})});
  const ValueId relu = b.node("relu", "Relu", {fine});
  b.output(b.node("dynamic", "MatMul", {relu, x}));
  b.output(b.node("nan", "MatMul", {relu, b.floats({2, 1}, {1, std::numeric_limits<float>::quiet_NaN()})}));
  b.output(b.node("vector", "MatMul", {relu, b.floats({2}, {1, 2})}));
  EXPECT_EQ(message(b.graph, {"fine", "Relux"}, ErrorCode::kNotFound).substr(0, 62),
            "the model has no node 'Relux'; the nearest names are 'relu', '");
  EXPECT_EQ(message(b.graph, {"fine", "relu"}, ErrorCode::kUnsupported),
            "node 'relu' cannot be split: Relu is none of Conv, ConvTranspose, MatMul and Gemm");
  EXPECT_NE(message(b.graph, {"dynamic"}, ErrorCode::kUnsupported).find("'dynamic' cannot be split: its input 1"),
            std::string::npos);
  EXPECT_NE(message(b.graph, {"nan"}, ErrorCode::kInvalidModel).find("holds NaN"), std::string::npos);
  EXPECT_NE(message(b.graph, {"vector"}, ErrorCode::kUnsupported).find("float32 [2], not a float32 matrix"),
            std::string::npos);
  EXPECT_EQ(ops(b.graph), "MatMul Relu MatMul MatMul MatMul");
}

}  // namespace
}  // namespace twofold
