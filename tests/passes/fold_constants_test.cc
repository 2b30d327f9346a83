#include "passes/fold_constants.h"

#include <gtest/gtest.h>

#include "passes/graph_builder.h"
#include "passes/same_results.h"

namespace twofold {
namespace {

TEST(FoldConstants, FoldsAChainAndKeepsNames) {
  GraphBuilder b;
  const ValueId x = b.input("x", {2});
  const ValueId sum = b.node("sum", "Add", {b.floats({2}, {1, -2}), b.floats({1}, {0.5F})});
  const ValueId product = b.node("product", "Mul", {sum, b.floats({2}, {2, 4})});
  b.output(b.node("y", "Add", {x, product}));
  run_and_compare(b.graph, fold_constants, 2);
  EXPECT_EQ(ops(b.graph), "Add");
  EXPECT_EQ(constant_floats(b.graph, product), (std::vector<float>{3, -6}));
  EXPECT_EQ(b.graph.value(product).name, "product");
}

TEST(FoldConstants, ASmallFileCannotFillTheMemory) {
  GraphBuilder b;
  // 1 GiB, and 40 MiB twice: only one of the small ones fits into 64 MiB.
  b.output(b.node("huge", "Expand", {b.scalar(1), b.ints({1 << 28})}));
  b.output(b.node("large1", "Expand", {b.scalar(1), b.ints({10 << 20})}));
  b.output(b.node("large2", "Expand", {b.scalar(1), b.ints({10 << 20})}));
  EXPECT_EQ(fold_constants(b.graph), 1);
  EXPECT_EQ(ops(b.graph), "Expand Expand");
  EXPECT_NE(b.graph.find_node("huge"), kNone);
}

TEST(FoldConstants, LeavesNodesThatFail) {
  GraphBuilder b;
  b.output(b.node("sum", "Add", {b.floats({2}, {1, 2}), b.floats({3}, {1, 2, 3})}));
  EXPECT_EQ(fold_constants(b.graph), 0);
}

TEST(FoldConstants, KeepsQuantizedWeights) {
  GraphBuilder b;
  const ValueId q = b.node("q", "QuantizeLinear", {b.floats({2}, {1, 2}), b.scalar(0.5F)});
  b.output(b.node("dq", "DequantizeLinear", {q, b.scalar(0.5F)}));
  EXPECT_EQ(fold_constants(b.graph), 0);
}

TEST(FoldConstants, LeavesUnknownAndRandomOperators) {
  GraphBuilder b;
  b.output(b.node("a", "NoSuchOperator", {b.scalar(1)}));
  b.output(b.node("r", "RandomNormal", {}, {{"shape", std::vector<int64_t>{2}}}));
  EXPECT_EQ(fold_constants(b.graph), 0);
}

}  // namespace
}  // namespace twofold
