#include "passes/complete_zero_points.h"

#include <gtest/gtest.h>

#include "passes/graph_builder.h"

namespace twofold {
namespace {

// The zero point of node `name`; undefined where it has none.
Tensor zero_point(const Graph& graph, const std::string& name) {
  const Tensor* tensor = graph.constant(graph.node(graph.find_node(name)).input(2));
  return tensor == nullptr ? Tensor() : *tensor;
}

TEST(CompleteZeroPoints, QuantizersAreUint8UnlessTheySayOtherwise) {
  GraphBuilder b;
  const ValueId x = b.input("x", {2, 3});
  b.output(b.node("plain", "QuantizeLinear", {x, b.scalar(0.5F)}));
  b.output(b.node("asked", "QuantizeLinear", {x, b.floats({3}, {1, 2, 3})},
                  {{"output_dtype", static_cast<int64_t>(DType::kInt16)}, {"axis", int64_t{1}}}));
  EXPECT_EQ(complete_zero_points(b.graph), 2);
  EXPECT_EQ(zero_point(b.graph, "plain").dtype(), DType::kUInt8);
  EXPECT_EQ(zero_point(b.graph, "plain").shape(), Shape{});
  EXPECT_EQ(zero_point(b.graph, "plain").data<uint8_t>()[0], 0);
  EXPECT_EQ(zero_point(b.graph, "asked").dtype(), DType::kInt16);
  EXPECT_EQ(zero_point(b.graph, "asked").shape(), Shape{3});
  EXPECT_FALSE(b.graph.node(b.graph.find_node("asked")).attributes.has("output_dtype"));
  EXPECT_EQ(complete_zero_points(b.graph), 0);
}

TEST(CompleteZeroPoints, DequantizersTakeTheTypeOfWhatTheyRead) {
  GraphBuilder b;
  const ValueId x = b.input("x", {2, 3}), scale = b.scalar(0.5F);
  const ValueId q = b.node("q", "QuantizeLinear", {x, scale}, {{"output_dtype", static_cast<int64_t>(DType::kInt8)}});
  const ValueId moved = b.node("t", "Transpose", {q});
  b.output(b.node("behind", "DequantizeLinear", {moved, scale}));
  b.output(b.node("declared", "DequantizeLinear", {b.input("i", {2}, DType::kUInt16), scale}));
  const ValueId w = b.graph.add_constant("w", Tensor::from<int8_t>({2}, std::vector<int8_t>{1, 2}));
  b.output(b.node("constant", "DequantizeLinear", {w, scale}));
  EXPECT_EQ(complete_zero_points(b.graph), 4);
  EXPECT_EQ(zero_point(b.graph, "behind").dtype(), DType::kInt8);
  EXPECT_EQ(zero_point(b.graph, "declared").dtype(), DType::kUInt16);
  EXPECT_EQ(zero_point(b.graph, "constant").dtype(), DType::kInt8);
}

TEST(CompleteZeroPoints, LeavesWhatItCannotTell) {
  GraphBuilder b;
  const ValueId x = b.input("x", {2, 3}), scale = b.scalar(0.5F), computed = b.input("s", {});
  b.output(b.node("dynamic", "QuantizeLinear", {x, computed}));
  const ValueId bias = b.graph.add_constant("b", Tensor::from<int32_t>({2}, std::vector<int32_t>{1, 2}));
  b.output(b.node("bias", "DequantizeLinear", {bias, scale}));
  const ValueId own = b.graph.add_constant("z", Tensor::scalar(int8_t{3}));
  b.output(b.node("given", "QuantizeLinear", {x, scale, own}));
  EXPECT_EQ(complete_zero_points(b.graph), 0);
  EXPECT_FALSE(zero_point(b.graph, "dynamic").defined());
  EXPECT_FALSE(zero_point(b.graph, "bias").defined());
  EXPECT_EQ(zero_point(b.graph, "given").data<int8_t>()[0], 3);
}

}  // namespace
}  // namespace twofold
