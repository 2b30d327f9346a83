#include "passes/fold_bias.h"

#include <gtest/gtest.h>

#include "passes/graph_builder.h"
#include "passes/same_results.h"

namespace twofold {
namespace {

TEST(FoldBias, MakesTheBiasOfAConvTranspose) {
  GraphBuilder b;
  const ValueId x = b.input("x", {1, 2, 3, 3});
  const ValueId y = b.node("up", "ConvTranspose", {x, b.ramp({2, 2, 2, 2})}, {{"strides", std::vector<int64_t>{2, 2}}});
  b.output(b.node("add", "Add", {b.floats({1, 2, 1, 1}, {0.5F, -3}), y}));
  run_and_compare(b.graph, fold_bias, 1);
  ASSERT_EQ(ops(b.graph), "ConvTranspose");
  const Node& up = b.graph.node(b.graph.find_node("up"));
  EXPECT_EQ(constant_floats(b.graph, up.input(2)), (std::vector<float>{0.5F, -3}));
  EXPECT_EQ(b.graph.value(up.outputs[0]).name, "add");
}

TEST(FoldBias, SubtractsFromABias) {
  GraphBuilder b;
  const ValueId x = b.input("x", {1, 1, 3});
  const ValueId y = b.node("conv", "Conv", {x, b.floats({2, 1, 1}, {1, 2}), b.floats({2}, {10, 20})});
  b.output(b.node("sub", "Sub", {y, b.floats({2, 1}, {1, -1})}));
  run_and_compare(b.graph, fold_bias, 1);
  EXPECT_EQ(constant_floats(b.graph, b.graph.node(b.graph.find_node("conv")).input(2)), (std::vector<float>{9, 21}));
}

TEST(FoldBias, RefusesMatMulReversedSubAndSecondUses) {
  GraphBuilder matmul, reversed, used;
  matmul.output(matmul.node(
      "add", "Add",
      {matmul.node("mm", "MatMul", {matmul.input("x", {2, 2}), matmul.ramp({2, 2})}), matmul.floats({2}, {1, 2})}));
  EXPECT_EQ(fold_bias(matmul.graph), 0);
  const ValueId y = reversed.node("conv", "Conv", {reversed.input("x", {1, 1, 3}), reversed.ramp({2, 1, 1})});
  reversed.output(reversed.node("sub", "Sub", {reversed.scalar(1), y}));
  EXPECT_EQ(fold_bias(reversed.graph), 0);
  const ValueId z = used.node("conv", "Conv", {used.input("x", {1, 1, 3}), used.ramp({2, 1, 1})});
  used.output(used.node("add", "Add", {z, used.scalar(1)}));
  used.output(used.node("relu", "Relu", {z}));
  EXPECT_EQ(fold_bias(used.graph), 0);
}

}  // namespace
}  // namespace twofold
