#include "engine/held_tensors.h"

#include "base/message_of.h"
#include "engine/lower.h"
#include "engine/lowered_model.h"
#include "engine/qdq_builder.h"
#include "numeric/ec.h"

namespace twofold {
namespace {

using testing::random_tensor;

WatchedTensor held(Graph graph, const std::string& name) { return lower(graph, {.held = {name}}).held.at(name); }

std::string refusal(const Graph& graph, const std::string& name) {
  return testing::message_of([&] { held(graph, name); });
}

// The name of what a QuantizeLinear behind the tensor gives.
std::string quantized_name(const Graph& graph, const std::string& name) {
  return graph.value(graph.node(graph.consumers(graph.find_value(name))[0]).output(0)).name;
}

// The operators that are left where tensors are held, which compute the same.
std::string held_ops(const Graph& graph, const std::vector<std::string>& names, const std::vector<Tensor>& inputs) {
  Graph with = graph, without = graph;
  lower(with, {.held = names});
  lower(without);
  verify(with);
  expect_same_bits(without, with, inputs);
  return ops(with);
}

// sum = x + y, at two precisions and in float; then a table, and a product.
struct Network : QdqBuilder {
  Network() {
    const ValueId x = edge(input("x", {4, 30}), 0.03F), y = edge(input("y", {4, 30}), 0.02F);
    const ValueId sum = node("sum", "Add", {x, y});
    const ValueId table = edge(node("table", "Sigmoid", {edge(sum, 0.04F)}), 0.01F);
    output(edge(node("product", "MatMul", {table, weight({30, 5}, 0.01F)}), 0.05F));
    output(edge(sum, 0.0002F, DType::kInt16));
    output(node("float", "Softmax", {sum}));
  }
};

TEST(HeldTensors, HaveTheIntegersThatComeWithThem) {
  const WatchedTensor sum = held(Network().graph, "sum");
  EXPECT_NE(sum.real, kNone);
  ASSERT_EQ(sum.integers.size(), 2U);
  EXPECT_EQ(sum.integers[0].edge.dtype, DType::kInt8);
  EXPECT_EQ(sum.integers[0].edge.scale, std::vector<float>{0.04F});
  EXPECT_EQ(sum.integers[1].edge.dtype, DType::kInt16);
  EXPECT_EQ(finest(sum).edge.dtype, DType::kInt16);
}

TEST(HeldTensors, MayBeThereAsIntegersOnly) {
  const WatchedTensor product = held(Network().graph, "product");
  EXPECT_EQ(product.real, kNone);
  ASSERT_EQ(product.integers.size(), 1U);
  EXPECT_EQ(product.integers[0].edge.scale, std::vector<float>{0.05F});
}

TEST(HeldTensors, AreThemselvesWhereNothingIsFused) {
  for (const char* name : {"x", "float"}) {  // the QuantizeLinear of x reads it
    const WatchedTensor tensor = held(Network().graph, name);
    EXPECT_NE(tensor.real, kNone) << name;
    EXPECT_TRUE(tensor.integers.empty()) << name;
  }
}

TEST(HeldTensors, MayBeIntegersThemselves) {
  const Network network;
  const WatchedTensor integers = held(network.graph, quantized_name(network.graph, "sum"));
  EXPECT_NE(integers.real, kNone);
  EXPECT_TRUE(integers.integers.empty());
}

// x -> Conv -> t -> two digits -> the two MatMuls of an ec operand, and an int8 MatMul that shares the first digit.
struct EcNetwork : QdqBuilder {
  explicit EcNetwork(bool shared) {
    const float s1 = 0.02F;
    const ValueId x = edge(input("x", {4, 30}), 0.03F);
    const ValueId t = node("t", "MatMul", {x, weight({30, 30}, 0.002F)});
    const ValueId first = edge(t, s1), w = weight({30, 5}, 0.01F);
    const ValueId second = edge(node("residual", "Sub", {t, first}), ec_residual_scale(s1));
    output(edge(node("y", "Add", {node("a", "MatMul", {first, w}), node("b", "MatMul", {second, w})}), 0.05F));
    if (shared) output(edge(node("shared", "MatMul", {first, weight({30, 5}, 0.02F)}), 0.05F));
  }
};

TEST(HeldTensors, EcActivationsAreTheirJoinedDigits) {
  for (const bool shared : {false, true}) {
    const EcNetwork network(shared);
    const WatchedTensor t = held(network.graph, "t");
    EXPECT_NE(t.real, kNone);
    ASSERT_EQ(t.integers.size(), shared ? 2U : 1U);
    EXPECT_EQ(finest(t).ec_scale, 0.02F);
    EXPECT_EQ(finest(t).edge.dtype, DType::kInt16);
    if (shared) {
      EXPECT_EQ(t.integers[0].ec_scale, 0);
    }
    // EcQuantize computes the digits from t, whatever they are changed to.
    for (const std::string& digit :
         {std::string("residual"), quantized_name(network.graph, "t"), quantized_name(network.graph, "residual")}) {
      EXPECT_NE(refusal(network.graph, digit).find("cannot be watched"), std::string::npos) << digit;
    }
  }
}

TEST(HeldTensors, DigitsJoinToWhatTheTensorStandsFor) {
  const IntegerForm form{{kNone, kNone, DType::kInt16, -1, {ec_residual_scale(0.5F)}, 0}, 0.5F};
  const Tensor integers = integers_of(testing::tensor<float>({5}, {0, 0.5F, -1, 0.75F, 1000}), form);
  // 0.75 is 1.5 steps of 0.5: the first digit is 2, the second -127. The largest are 127 and 127.
  EXPECT_EQ(testing::values<int16_t>(integers), (std::vector<int16_t>{0, 254, -508, 381, 32385}));
  const std::vector<float> numbers = testing::values<float>(real_numbers_of(integers, form));
  EXPECT_FLOAT_EQ(numbers[3], 0.75F);
  EXPECT_FLOAT_EQ(numbers[4], 0.5F / 254 * 32385);
}

TEST(HeldTensors, AreNotSwallowedByWhatMovesFoldsOrMerges) {
  QdqBuilder b;
  const ValueId x = b.edge(b.input("x", {1, 8, 6, 6}), 0.02F), w = b.weight({8, 8, 1, 1}, 0.01F);
  const ValueId conv = b.edge(b.node("conv", "Conv", {x, w}), 0.05F);
  const ValueId relu = b.edge(b.node("relu", "Relu", {conv}), 0.05F);
  const ValueId turned = b.edge(b.node("turned", "Transpose", {relu}), 0.05F);
  const ValueId shifted = b.edge(b.node("shifted", "Add", {turned, b.scalar(0.4F)}), 0.06F);
  b.output(b.edge(b.node("product", "Mul", {shifted, turned}), 0.07F));
  const std::vector<Tensor> inputs = {random_tensor({1, 8, 6, 6}, 1)};
  // The Relu is a bound of the product, and the two others one table.
  EXPECT_EQ(held_ops(b.graph, {}, inputs), "QuantizeLinear IntegerConv Transpose Table DequantizeLinear");
  for (const char* name : {"conv", "relu", "turned", "shifted", "product"}) {
    EXPECT_FALSE(held(b.graph, name).integers.empty()) << name;
    held_ops(b.graph, {name}, inputs);
  }
  EXPECT_EQ(held_ops(b.graph, {"conv", "turned"}, inputs),
            "QuantizeLinear IntegerConv Table Transpose Table DequantizeLinear");
}

TEST(HeldTensors, WithTheSameIntegersCanEachBeChangedAlone) {
  QdqBuilder b;
  const ValueId a = b.node("a", "Sigmoid", {b.edge(b.input("x", {8}), 0.02F)});
  const ValueId first = b.edge(a, 0.01F);
  b.output(b.edge(first, 0.01F));  // the same integers again
  b.output(b.edge(b.node("tanh", "Tanh", {first}), 0.01F));
  const std::string name = b.graph.value(first).name;
  b.graph.outputs.push_back({"first", b.graph.node(b.graph.producer(first)).input(0)});
  Graph lowered = b.graph;
  const auto held = lower(lowered, {.held = {"a", name}}).held;
  // Tanh reads the real numbers of `first`, which its own integers are not.
  ASSERT_EQ(held.at(name).integers.size(), 1U);
  ASSERT_EQ(held.at("a").integers.size(), 1U);
  EXPECT_NE(held.at(name).integers[0].edge.integers, held.at("a").integers[0].edge.integers);
  held_ops(b.graph, {"a", name}, {random_tensor({8}, 1)});
}

TEST(HeldTensors, MayBeConstantsThatAreQuantized) {
  QdqBuilder b;
  const ValueId x = b.edge(b.input("x", {4, 30}), 0.03F);
  const ValueId integers = b.graph.add_constant("factor_quantized", Tensor::scalar<int8_t>(100));
  const ValueId factor =
      b.node("factor_dequantized", "DequantizeLinear", {integers, b.scalar(0.01F), b.zero_point(DType::kInt8, 0)});
  b.output(b.edge(b.node("y", "Mul", {x, factor}), 0.03F));
  const std::vector<Tensor> inputs = {random_tensor({4, 30}, 1)};
  EXPECT_EQ(held_ops(b.graph, {"factor"}, inputs), "QuantizeLinear Identity Elementwise DequantizeLinear");
  const LoweredModel model(b.graph, {.threads = 1, .watched = {"factor"}});
  const KeptValues kept = model.keep(inputs);
  EXPECT_FLOAT_EQ(model.value(kept, "factor").data<float>()[0], 1.0F);
  Graph half = b.graph;
  half.set_constant(integers, Tensor::scalar<int8_t>(50));
  testing::expect_same(kept.run_from(model.changes(kept, {{"factor", Tensor::scalar(0.5F)}}))[0],
                       LoweredModel(half, {.threads = 1}).run(inputs)[0]);
}

TEST(HeldTensors, AreRefusedWhereAProductReadsTheirIntegers) {
  const Network network;
  const Graph& graph = network.graph;
  const std::string read_by_product = graph.value(graph.node(graph.find_node("product")).input(0)).name;
  EXPECT_NE(refusal(graph, read_by_product).find("cannot be watched"), std::string::npos);
  EXPECT_NE(refusal(graph, "nothing").find("tensor 'nothing' cannot be watched"), std::string::npos);
  // An Add computes in float32 either way.
  const std::string read_by_sum = graph.value(graph.node(graph.find_node("sum")).input(0)).name;
  EXPECT_NE(held(graph, read_by_sum).real, kNone);
  // So does what moves them on the way to the product.
  QdqBuilder b;
  const ValueId x = b.edge(b.input("x", {4, 30}), 0.03F);
  const ValueId moved = b.node("moved", "Identity", {b.node("flat", "Reshape", {x, b.ints({4, 30})})});
  b.output(b.edge(b.node("y", "MatMul", {moved, b.weight({30, 5}, 0.01F)}), 0.05F));
  for (const char* name : {"flat", "moved"}) {
    EXPECT_NE(refusal(b.graph, name).find("cannot be watched"), std::string::npos) << name;
  }
}

}  // namespace
}  // namespace twofold
