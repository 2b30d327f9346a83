#include "passes/fold_shape.h"

#include <gtest/gtest.h>

#include "passes/graph_builder.h"

namespace twofold {
namespace {

std::vector<int64_t> constant_ints(const Graph& graph, ValueId id) {
  const std::span<const int64_t> values = graph.constant(id)->data<int64_t>();
  return {values.begin(), values.end()};
}

TEST(FoldShape, FoldsAStaticShape) {
  GraphBuilder b;
  const ValueId shape = b.node("shape", "Shape", {b.node("relu", "Relu", {b.input("x", {2, 3, 5})})});
  b.output(shape);
  EXPECT_EQ(fold_shape(b.graph), 1);
  verify(b.graph);
  EXPECT_EQ(constant_ints(b.graph, shape), (std::vector<int64_t>{2, 3, 5}));
}

TEST(FoldShape, FoldsTheKnownPartOfADynamicShape) {
  GraphBuilder b;
  const ValueId shape = b.node("shape", "Shape", {b.input("x", {-1, 3, -1, 7})});
  const ValueId channels = b.node("channels", "Gather", {shape, b.ints({1})}, {{"axis", int64_t{0}}});
  const ValueId width = b.node("width", "Slice", {shape, b.ints({-1}), b.ints({9}), b.ints({0})});
  const ValueId height = b.node("height", "Gather", {shape, b.ints({2})});
  const ValueId joined = b.node("joined", "Concat", {channels, width, b.ints({-1})}, {{"axis", int64_t{0}}});
  b.output(joined);
  b.output(height);
  EXPECT_EQ(fold_shape(b.graph), 3);
  verify(b.graph);
  EXPECT_EQ(constant_ints(b.graph, joined), (std::vector<int64_t>{3, 7, -1}));
  EXPECT_EQ(b.graph.constant(height), nullptr);
}

TEST(FoldShape, DoesNotTrustDeclaredShapesBetween) {
  GraphBuilder b;
  const ValueId x = b.node("sizes", "Unknown", {b.input("x", {2})});
  b.graph.set_type(x, {DType::kFloat32, std::vector<Dim>{{4, ""}}});
  b.output(b.node("shape", "Shape", {x}));
  EXPECT_EQ(fold_shape(b.graph), 0);
}

}  // namespace
}  // namespace twofold
