#include "engine/qdq_builder.h"

namespace twofold {
namespace {

using testing::random_tensor;

Graph resized_sigmoid(const std::string& mode, float scale) {
  QdqBuilder b;
  const ValueId x = b.edge(b.input("x", {1, 3, 5, 6}), 0.03F);
  const ValueId y = b.node("y", "Resize", {x, kNone, b.floats({4}, {1, 1, 2, scale})}, {{"mode", mode}});
  b.output(b.edge(b.node("out", "Sigmoid", {y}), 0.01F));
  return b.graph;
}

TEST(HoistTables, BeforeWhatRepeatsElements) {
  EXPECT_EQ(expect_definition(resized_sigmoid("nearest", 1.5F), {random_tensor({1, 3, 5, 6}, 1)}),
            "QuantizeLinear Table Resize DequantizeLinear");
  QdqBuilder b;
  const ValueId x = b.edge(b.input("x", {1, 3, 1}), 0.03F);
  const ValueId tiled = b.node("tiled", "Tile", {x, b.ints({2, 1, 1})});
  const ValueId wide = b.node("wide", "Expand", {tiled, b.ints({2, 3, 4})});
  b.output(b.edge(b.node("out", "Sigmoid", {wide}), 0.01F));
  EXPECT_EQ(expect_definition(b.graph, {random_tensor({1, 3, 1}, 1)}),
            "QuantizeLinear Table Tile Expand DequantizeLinear");
}

TEST(HoistTables, NotBeforeAResizeThatShrinks) {
  EXPECT_EQ(expect_definition(resized_sigmoid("nearest", 0.5F), {random_tensor({1, 3, 5, 6}, 1)}),
            "QuantizeLinear Resize Table DequantizeLinear");
}

TEST(HoistTables, NotBeforeAResizeThatInterpolatesIntegers) {
  QdqBuilder b;
  const ValueId x = b.input("x", {1, 1, 4, 4}, DType::kUInt8);
  const ValueId y = b.node("y", "Resize", {x, kNone, b.floats({4}, {1, 1, 2, 2})}, {{"mode", std::string("linear")}});
  b.graph.set_type(y, {DType::kUInt8, std::nullopt});
  const ValueId real = b.node("real", "DequantizeLinear", {y, b.scalar(0.03F), b.zero_point(DType::kUInt8, 9)});
  b.output(b.edge(b.node("out", "Exp", {real}), 0.01F));
  EXPECT_EQ(expect_definition(b.graph, {testing::counting<uint8_t>({1, 1, 4, 4})}), "Resize Table DequantizeLinear");
}

TEST(HoistTables, NotWhereTheIntegersHaveAnotherReader) {
  QdqBuilder b;
  const ValueId x = b.edge(b.input("x", {2, 3}), 0.03F);
  const ValueId tiled = b.node("tiled", "Tile", {x, b.ints({2, 2})});
  b.output(b.edge(b.node("out", "Sigmoid", {tiled}), 0.01F));
  b.output(tiled);
  EXPECT_EQ(expect_definition(b.graph, {random_tensor({2, 3}, 1)}),
            "QuantizeLinear Tile DequantizeLinear Table DequantizeLinear");
}

}  // namespace
}  // namespace twofold
