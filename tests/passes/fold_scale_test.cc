#include "passes/fold_scale.h"

#include <gtest/gtest.h>

#include "passes/graph_builder.h"
#include "passes/same_results.h"

namespace twofold {
namespace {

// Conv with two output channels, W = {1, 2} and b = {10, 20}.
ValueId conv(GraphBuilder& b) {
  const ValueId x = b.input("x", {1, 1, 2, 3});
  return b.node("conv", "Conv", {x, b.floats({2, 1, 1, 1}, {1, 2}), b.floats({2}, {10, 20})});
}

std::vector<float> parameter(const GraphBuilder& b, int input) {
  return constant_floats(b.graph, b.graph.node(b.graph.find_node("conv")).input(input));
}

TEST(FoldScale, FoldsOneNumberInEitherOrder) {
  for (const bool first : {true, false}) {
    GraphBuilder b;
    const ValueId y = conv(b), s = b.floats({1}, {0.5F});
    b.output(b.node("mul", "Mul", first ? std::vector<ValueId>{s, y} : std::vector<ValueId>{y, s}));
    run_and_compare(b.graph, fold_scale, 1);
    EXPECT_EQ(ops(b.graph), "Conv");
    EXPECT_EQ(parameter(b, 1), (std::vector<float>{0.5F, 1}));
    EXPECT_EQ(parameter(b, 2), (std::vector<float>{5, 10}));
  }
}

TEST(FoldScale, DividesPerChannel) {
  GraphBuilder b;
  b.output(b.node("div", "Div", {conv(b), b.floats({2, 1, 1}, {2, 4})}));
  run_and_compare(b.graph, fold_scale, 1);
  EXPECT_EQ(parameter(b, 1), (std::vector<float>{0.5F, 0.5F}));
  EXPECT_EQ(parameter(b, 2), (std::vector<float>{5, 5}));
}

TEST(FoldScale, ScalesTheColumnsOfAMatMul) {
  GraphBuilder b;
  const ValueId x = b.input("x", {2, 3, 2});
  b.output(
      b.node("mul", "Mul", {b.node("conv", "MatMul", {x, b.floats({2, 2}, {1, 2, 3, 4})}), b.floats({2}, {10, 100})}));
  run_and_compare(b.graph, fold_scale, 1);
  EXPECT_EQ(parameter(b, 1), (std::vector<float>{10, 200, 30, 400}));
}

TEST(FoldScale, RefusesOtherAxesHigherRanksAndZeroDivisors) {
  GraphBuilder width, raised, constant_first, zero;
  // [2] lies on the width, which happens to be 2 as well.
  const ValueId x = width.input("x", {1, 1, 2, 2});
  const ValueId y = width.node("conv", "Conv", {x, width.floats({2, 1, 1, 1}, {1, 2})});
  width.output(width.node("mul", "Mul", {y, width.floats({2}, {3, 4})}));
  EXPECT_EQ(fold_scale(width.graph), 0);
  raised.output(raised.node("mul", "Mul", {conv(raised), raised.floats({1, 1, 1, 1, 1}, {3})}));
  EXPECT_EQ(fold_scale(raised.graph), 0);
  constant_first.output(constant_first.node("div", "Div", {constant_first.scalar(1), conv(constant_first)}));
  EXPECT_EQ(fold_scale(constant_first.graph), 0);
  zero.output(zero.node("div", "Div", {conv(zero), zero.scalar(0)}));
  EXPECT_EQ(fold_scale(zero.graph), 0);
}

// 1e-37 belongs to the activations: in the weights it would lie below the smallest scale.
TEST(FoldScale, RefusesToLetTheWeightVanish) {
  GraphBuilder tiny, dead;
  tiny.output(tiny.node("mul", "Mul", {conv(tiny), tiny.scalar(1e-37F)}));
  EXPECT_EQ(fold_scale(tiny.graph), 0);
  EXPECT_EQ(parameter(tiny, 1), (std::vector<float>{1, 2}));
  dead.output(dead.node("mul", "Mul", {conv(dead), dead.floats({2, 1, 1}, {0, 1e-38F})}));
  EXPECT_EQ(fold_scale(dead.graph), 0);
}

// Beside a channel that lives, one that does not is folded as any other; so is a factor of 0.
TEST(FoldScale, FoldsChannelsThatAreNextToNothing) {
  GraphBuilder beside, zero;
  beside.output(beside.node("mul", "Mul", {conv(beside), beside.floats({2, 1, 1}, {1e-38F, 1})}));
  EXPECT_EQ(fold_scale(beside.graph), 1);
  zero.output(zero.node("mul", "Mul", {conv(zero), zero.scalar(0)}));
  EXPECT_EQ(fold_scale(zero.graph), 1);
}

}  // namespace
}  // namespace twofold
