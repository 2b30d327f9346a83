#include "passes/fold_constants.h"

#include <gtest/gtest.h>

#include "passes/graph_builder.h"

namespace twofold {
namespace {

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
