#include "passes/fold_input_affine.h"

#include <gtest/gtest.h>

#include "passes/graph_builder.h"
#include "passes/same_results.h"

namespace twofold {
namespace {

const std::vector<int64_t> kPads = {1, 1, 1, 1};

TEST(FoldInputAffine, AddsTheSumOfTheWeightsToTheBias) {
  GraphBuilder b;
  const ValueId x = b.node(
      "add", "Add", {b.node("mul", "Mul", {b.floats({1}, {2}), b.input("x", {1, 2, 2, 2})}), b.floats({1}, {0.5F})});
  b.output(b.node("conv", "Conv", {x, b.floats({2, 2, 1, 1}, {1, 2, 3, 4}), b.floats({2}, {10, 20})}));
  run_and_compare(b.graph, fold_input_affine, 1);
  run_and_compare(b.graph, fold_input_affine, 1);
  ASSERT_EQ(ops(b.graph), "Conv");
  const Node& conv = b.graph.node(b.graph.find_node("conv"));
  EXPECT_EQ(constant_floats(b.graph, conv.input(1)), (std::vector<float>{2, 4, 6, 8}));
  EXPECT_EQ(constant_floats(b.graph, conv.input(2)), (std::vector<float>{11.5F, 23.5F}));
  EXPECT_EQ(conv.origins, (std::vector<std::string>{"conv", "add", "mul"}));
}

TEST(FoldInputAffine, FoldsAFactorAcrossPaddingButNotASummand) {
  GraphBuilder factor, summand;
  factor.output(factor.node(
      "conv", "Conv",
      {factor.node("div", "Div", {factor.input("x", {1, 1, 3, 3}), factor.scalar(4)}), factor.ramp({1, 1, 3, 3})},
      {{"pads", kPads}}));
  run_and_compare(factor.graph, fold_input_affine, 1);
  EXPECT_EQ(ops(factor.graph), "Conv");
  summand.output(summand.node(
      "conv", "Conv",
      {summand.node("add", "Add", {summand.input("x", {1, 1, 3, 3}), summand.scalar(4)}), summand.ramp({1, 1, 3, 3})},
      {{"pads", kPads}}));
  EXPECT_EQ(fold_input_affine(summand.graph), 0);
}

TEST(FoldInputAffine, CountsAlphaOfGemm) {
  GraphBuilder b;
  const ValueId x = b.node("sub", "Sub", {b.input("x", {3, 2}), b.scalar(2)});
  b.output(b.node("gemm", "Gemm", {x, b.floats({2, 2}, {1, 2, 3, 4})}, {{"alpha", 0.5F}, {"transB", int64_t{1}}}));
  run_and_compare(b.graph, fold_input_affine, 1);
  EXPECT_EQ(constant_floats(b.graph, b.graph.node(b.graph.find_node("gemm")).input(2)), (std::vector<float>{-3, -7}));
}

TEST(FoldInputAffine, RefusesChannelsOtherUsesAndConvTranspose) {
  GraphBuilder channels, used, transposed;
  const ValueId x =
      channels.node("mul", "Mul", {channels.input("x", {1, 2, 2, 2}), channels.floats({2, 1, 1}, {1, 2})});
  channels.output(channels.node("conv", "Conv", {x, channels.ramp({1, 2, 1, 1})}));
  EXPECT_EQ(fold_input_affine(channels.graph), 0);
  const ValueId y = used.node("mul", "Mul", {used.input("x", {1, 1, 2, 2}), used.scalar(2)});
  used.output(used.node("conv", "Conv", {y, used.ramp({1, 1, 1, 1})}));
  used.output(y);
  EXPECT_EQ(fold_input_affine(used.graph), 0);
  const ValueId z = transposed.node("add", "Add", {transposed.input("x", {1, 1, 2, 2}), transposed.scalar(2)});
  transposed.output(transposed.node("up", "ConvTranspose", {z, transposed.ramp({1, 1, 2, 2})}));
  EXPECT_EQ(fold_input_affine(transposed.graph), 0);
}

}  // namespace
}  // namespace twofold
