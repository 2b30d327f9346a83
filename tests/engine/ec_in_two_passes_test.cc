// Lowering with LowerOptions::ec_in_two_passes: the same operators and bits as without, and marks on those with ec.
#include "engine/lowered_node.h"
#include "engine/qdq_builder.h"

namespace twofold {
namespace {

using testing::random_tensor;

struct EcBuilder : QdqBuilder {
  struct Terms {
    ValueId first, second;
  };
  // A constant in two terms: digits q1 and q2 of scales s1 and s1 / 254.
  Terms weight_terms(const Shape& shape, float s1) {
    const ValueId q1 = weight(shape, s1);
    Tensor rest(DType::kInt8, shape);
    uint32_t next = 7;
    for (int8_t& value : rest.mutable_data<int8_t>())
      value = static_cast<int8_t>(static_cast<int32_t>((next = next * 29 + 3) % 255) - 127);
    const ValueId q2 = graph.add_constant(graph.unique_value_name("w"), std::move(rest));
    return {q1, node(graph.unique_value_name("w2_real"), "DequantizeLinear",
                     {q2, scalar(s1 / 254.0F), zero_point(DType::kInt8, 0)})};
  }
  // A computed value in two terms, as files have it.
  Terms activation_terms(ValueId x, float s1) {
    const ValueId first = edge(x, s1);
    return {first, edge(node(graph.unique_value_name("rest"), "Sub", {x, first}), s1 / 254.0F)};
  }
  ValueId sum(const std::string& name, ValueId a, ValueId b) { return node(name, "Add", {a, b}); }
};

// Passes of the nodes that run in several, by name.
std::map<std::string, int> passes_of(const Graph& lowered) {
  std::map<std::string, int> passes;
  for (const LoweredNode& entry : describe_lowered(lowered, {})) {
    if (entry.ec_passes > 1) passes[lowered.node(entry.node).name] = entry.ec_passes;
  }
  return passes;
}

// Lowered in both ways: the same operators, the same bits. Returns who runs in several passes.
std::map<std::string, int> expect_same(const Graph& graph, const std::vector<Tensor>& inputs,
                                       const std::set<std::string>& watched = {}) {
  Graph one = graph, two = graph;
  lower(one, {.watched = watched});
  lower(two, {.watched = watched, .ec_in_two_passes = true});
  EXPECT_EQ(ops(two), ops(one));
  EXPECT_TRUE(passes_of(one).empty());
  expect_same_bits(one, two, inputs);
  return passes_of(two);
}

using Passes = std::map<std::string, int>;

// An ec weight, a Relu and a residual connection behind the sum.
EcBuilder residual_block() {
  EcBuilder b;
  const ValueId x = b.edge(b.input("x", {1, 6, 7, 7}), 0.01F, DType::kInt16);
  const auto [w1, w2] = b.weight_terms({6, 6, 3, 3}, 0.002F);
  const std::vector<std::pair<std::string, Attribute>> pads = {{"pads", std::vector<int64_t>{1, 1, 1, 1}}};
  const ValueId y =
      b.sum("y", b.node("conv1", "Conv", {x, w1, b.ramp({6})}, pads), b.node("conv2", "Conv", {x, w2}, pads));
  b.output(b.edge(b.node("relu", "Relu", {b.sum("out", y, x)}), 0.02F));
  return b;
}

TEST(EcInTwoPasses, AProductWithItsProgram) {
  const EcBuilder b = residual_block();
  Graph lowered = b.graph;
  lower(lowered, {.ec_in_two_passes = true});
  EXPECT_EQ(ops(lowered), "QuantizeLinear IntegerConv DequantizeLinear");
  const std::vector<Tensor> inputs = {random_tensor({1, 6, 7, 7}, 1)};
  EXPECT_EQ(expect_same(b.graph, inputs), (Passes{{"conv1", 2}}));
  EXPECT_EQ(expect_same(b.graph, inputs, {"y", "out"}), (Passes{{"conv1", 2}}));
}

TEST(EcInTwoPasses, FourWhereBothOperandsAreEc) {
  EcBuilder b;
  const auto [x1, x2] = b.activation_terms(b.input("x", {2, 5, 8}), 0.007F);
  const auto [y1, y2] = b.activation_terms(b.input("y", {2, 8, 4}), 0.008F);
  const ValueId first = b.sum("s1", b.node("m1", "MatMul", {x1, y1}), b.node("m2", "MatMul", {x1, y2}));
  const ValueId second = b.sum("s2", b.node("m3", "MatMul", {x2, y1}), b.node("m4", "MatMul", {x2, y2}));
  b.output(b.edge(b.sum("s", first, second), 0.02F, DType::kInt16));
  EXPECT_EQ(expect_same(b.graph, {random_tensor({2, 5, 8}, 1), random_tensor({2, 8, 4}, 2)}), (Passes{{"m1", 4}}));
}

TEST(EcInTwoPasses, AnEcActivationWithAnotherWeight) {
  EcBuilder b;
  const auto [x1, x2] = b.activation_terms(b.input("x", {1, 6, 9}), 0.008F);
  const ValueId w = b.weight({4, 6, 3}, 0.01F);
  b.output(b.edge(b.sum("s", b.node("c1", "Conv", {x1, w}), b.node("c2", "Conv", {x2, w})), 0.05F));
  EXPECT_EQ(expect_same(b.graph, {random_tensor({1, 6, 9}, 1)}), (Passes{{"c1", 2}}));
}

TEST(EcInTwoPasses, NothingWhereThereIsNoEc) {
  EcBuilder b;
  const ValueId x = b.edge(b.input("x", {1, 6, 7, 7}), 0.01F, DType::kInt16);
  b.output(b.edge(b.node("conv", "Conv", {x, b.weight({4, 6, 3, 3}, 0.01F)}), 0.05F));
  EXPECT_TRUE(expect_same(b.graph, {random_tensor({1, 6, 7, 7}, 1)}).empty());
}

TEST(EcInTwoPasses, NothingForAProductThatStaysFloat) {
  EcBuilder b;
  const ValueId x = b.edge(b.input("x", {1, 6, 7, 7}), 0.01F, DType::kInt16), bias = b.input("bias", {4});
  const auto [w1, w2] = b.weight_terms({4, 6, 1, 1}, 0.01F);
  b.output(b.sum("y", b.node("conv1", "Conv", {x, w1, bias}), b.node("conv2", "Conv", {x, w2})));
  EXPECT_TRUE(expect_same(b.graph, {random_tensor({1, 6, 7, 7}, 1), random_tensor({4}, 2)}).empty());
}

}  // namespace
}  // namespace twofold
