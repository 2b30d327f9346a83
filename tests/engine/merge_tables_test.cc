#include "engine/merge_tables.h"

#include <algorithm>

#include "engine/float_chain.h"
#include "engine/lower_elementwise.h"
#include "engine/qdq_builder.h"

namespace twofold {
namespace {

using testing::random_tensor;

// A number as other tools write it: an integer, dequantized.
ValueId number(QdqBuilder& b, float value, const Shape& shape = {1}) {
  Tensor one(DType::kUInt8, shape);
  one.mutable_data<uint8_t>()[0] = 1;
  const ValueId q = b.graph.add_constant(b.graph.unique_value_name("n"), std::move(one));
  return b.node(b.graph.unique_value_name("number"), "DequantizeLinear",
                {q, b.scalar(value), b.zero_point(DType::kUInt8, 0)});
}

// x clip(x + 3, 0, 6) / 6, every step of which has integers of type `inner` behind it.
struct HardSwish {
  QdqBuilder b;
  ValueId x, sum, clipped, product, y;

  explicit HardSwish(const Shape& shape, DType inner = DType::kUInt8, DType outer = DType::kUInt8) {
    x = b.edge(b.input("x", shape), 0.031F, outer, outer == DType::kUInt8 ? 128 : -3);
    sum = b.edge(b.node("sum", "Add", {x, number(b, 3)}), 0.028F, inner, inner == DType::kUInt8 ? 36 : 0);
    clipped = b.edge(b.node("clipped", "Clip", {sum, b.scalar(0), b.scalar(6)}), 0.024F, inner);
    product = b.edge(b.node("product", "Mul", {x, clipped}), 0.1F, inner, 7);
    y = b.edge(b.node("y", "Mul", {product, number(b, 1.0F / 6)}), 0.015F, outer, 9);
    b.output(y);
  }
};

TEST(MergeTables, StepsOfOneFunction) {
  const std::vector<Tensor> x = {random_tensor({2, 5, 7}, 1)};
  EXPECT_EQ(expect_definition(HardSwish({2, 5, 7}).b.graph, x), "QuantizeLinear Table DequantizeLinear");
  EXPECT_EQ(expect_definition(HardSwish({2, 5, 7}, DType::kInt8, DType::kInt8).b.graph, x),
            "QuantizeLinear Table DequantizeLinear");
  EXPECT_EQ(expect_definition(HardSwish({2, 5, 7}, DType::kInt16).b.graph, x), "QuantizeLinear Table DequantizeLinear");
  EXPECT_EQ(expect_definition(HardSwish({2, 5, 7}, DType::kUInt16).b.graph, x),
            "QuantizeLinear Table DequantizeLinear");
}

TEST(MergeTables, KeepsTheRankThatANumberGives) {
  EXPECT_EQ(expect_definition(HardSwish({}).b.graph, {random_tensor({}, 1)}), "QuantizeLinear Table DequantizeLinear");
}

TEST(MergeTables, NotOfIntegersOf16Bits) {
  EXPECT_EQ(expect_definition(HardSwish({3, 4}, DType::kInt16, DType::kInt16).b.graph, {random_tensor({3, 4}, 1)}),
            "QuantizeLinear Elementwise Table Elementwise Elementwise DequantizeLinear");
}

TEST(MergeTables, KeepsWhatIsReadBetween) {
  HardSwish swish({3, 4});
  swish.b.output(swish.product);
  EXPECT_EQ(expect_definition(swish.b.graph, {random_tensor({3, 4}, 1)}),
            "QuantizeLinear Table DequantizeLinear Table DequantizeLinear");
}

// What hangs on something watched reads that, so that it can be changed.
TEST(MergeTables, NotThroughWhatIsWatched) {
  const HardSwish swish({3, 4});
  Graph lowered = swish.b.graph;
  lower(lowered, {.watched = {"sum"}});
  EXPECT_EQ(ops(lowered), "QuantizeLinear Elementwise Table Elementwise Table DequantizeLinear");
  expect_same_bits(swish.b.graph, lowered, {random_tensor({3, 4}, 1)});
}

TEST(MergeTables, NotOfTwoTensors) {
  QdqBuilder b;
  const ValueId x = b.edge(b.input("x", {3, 4}), 0.03F), y = b.edge(b.input("y", {3, 4}), 0.03F);
  const ValueId sum = b.edge(b.node("sum", "Add", {x, number(b, 0.5F)}), 0.03F);
  b.output(b.edge(b.node("product", "Mul", {sum, y}), 0.05F));
  EXPECT_EQ(expect_definition(b.graph, {random_tensor({3, 4}, 1), random_tensor({3, 4}, 2)}),
            "QuantizeLinear QuantizeLinear Table Elementwise DequantizeLinear");
}

TEST(MergeTables, NotWithANumberPerChannelOrOfMoreDimensions) {
  for (const Shape& shape : {Shape{4}, Shape{1, 1, 1}}) {
    QdqBuilder b;
    const ValueId x = b.edge(b.input("x", {3, 4}), 0.03F);
    const ValueId c = shape.size() == 1 ? b.edge(b.floats(shape, {1, -2, 3, 0.5F}), 0.03F) : number(b, 3, shape);
    b.output(b.edge(b.node("sum", "Add", {x, c}), 0.03F));
    EXPECT_EQ(expect_definition(b.graph, {random_tensor({3, 4}, 1)}), "QuantizeLinear Elementwise DequantizeLinear");
  }
}

TEST(MergeTables, NamesAllThatItStandsFor) {
  Graph lowered = HardSwish({3}).b.graph;
  lower(lowered);
  for (NodeId id : lowered.topological_order()) {
    if (!lowered.node(id).is("Table", "twofold")) continue;
    for (const char* name : {"sum", "clipped", "product", "y"})
      EXPECT_EQ(std::ranges::count(lowered.node(id).origins, name), 1) << name;
  }
}

// Of a chain one table is left, and only that one carries the names of all: lists for each would be as long together as
// the square of the chain.
TEST(MergeTables, ChainsTakeNoMoreThanTheirLength) {
  constexpr int kLength = 300;
  QdqBuilder b;
  ValueId x = b.edge(b.input("x", {3, 4}), 0.03F);
  for (int i = 0; i < kLength; ++i) x = b.edge(b.node(fmt::format("n{}", i), i % 2 == 0 ? "Neg" : "Relu", {x}), 0.03F);
  b.output(x);
  Graph graph = b.graph;
  const ChainFinder chains(graph, {});
  lower_elementwise(graph, chains);
  EXPECT_EQ(merge_tables(graph, chains), kLength - 1);
  size_t names = 0;
  for (NodeId id = 0; id < graph.node_limit(); ++id) {
    if (graph.has_node(id)) names += graph.node(id).origins.size();
  }
  EXPECT_LE(names, 10 * kLength);
}

}  // namespace
}  // namespace twofold
