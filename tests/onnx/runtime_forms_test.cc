#include "onnx/runtime_forms.h"

#include <gtest/gtest.h>

#include "onnx/model_builder.h"

namespace twofold::testing {
namespace {

using Ints = std::vector<int64_t>;

// x [1,2,4,4] -> q -> d, with the parameters s and z.
ModelBuilder quantized_input(DType dtype = DType::kInt8) {
  ModelBuilder builder;
  builder.input("x", {1, 2, 4, 4}).floats("s", {}, {0.5F}).small("z", dtype, {}, {0});
  builder.node("QuantizeLinear", {"x", "s", "z"}, {"xq"}, {}, "", "q");
  builder.node("DequantizeLinear", {"xq", "s", "z"}, {"xd"}, {}, "", "d");
  return builder;
}

std::string forms(const ModelBuilder& builder) {
  Graph graph = builder.import();
  use_runtime_forms(graph);
  verify(graph);
  return operators(graph);
}

const std::string kPair = "QuantizeLinear DequantizeLinear";

TEST(RuntimeForms, WhatMovesIsQuantizedAgainBehindEachMove) {
  const ModelBuilder builder = quantized_input()
                                   .node("Transpose", {"xd"}, {"t"}, {}, "", "t")
                                   .node("MaxPool", {"t"}, {"y"}, {{"kernel_shape", Ints{2, 2}}})
                                   .output("y");
  EXPECT_EQ(forms(builder), kPair + " Transpose " + kPair + " MaxPool " + kPair);
}

TEST(RuntimeForms, ThePairHasTheSameParametersAndTheOutputItsName) {
  Graph graph = quantized_input().node("Transpose", {"xd"}, {"y"}, {}, "", "t").output("y").import();
  use_runtime_forms(graph);
  const Node& last = graph.node(graph.producer(graph.outputs[0].value));
  EXPECT_EQ(last.op_type, "DequantizeLinear");
  EXPECT_EQ(graph.value(last.input(1)).name, "s");
  EXPECT_EQ(graph.value(last.input(2)).name, "z");
  EXPECT_EQ(graph.outputs[0].name, "y");
}

TEST(RuntimeForms, ReadersThatQuantizeReadTheMovedTensorItself) {
  const ModelBuilder only = quantized_input()
                                .node("Transpose", {"xd"}, {"t"})
                                .node("QuantizeLinear", {"t", "s", "z"}, {"tq"})
                                .node("DequantizeLinear", {"tq", "s", "z"}, {"y"})
                                .output("y");
  EXPECT_EQ(forms(only), kPair + " Transpose " + kPair);
}

TEST(RuntimeForms, WhatFillsInNumbersOrReadsSeveralTensorsStays) {
  const ModelBuilder pad = quantized_input()
                               .ints("pads", {0, 0, 1, 1, 0, 0, 1, 1})
                               .node("Pad", {"xd", "pads"}, {"p"})
                               .node("Concat", {"p", "p"}, {"y"}, {{"axis", int64_t{1}}})
                               .output("y");
  EXPECT_EQ(forms(pad), kPair + " Pad Concat");
}

TEST(RuntimeForms, AFloatOutputThatIsMovedAndQuantizedIsQuantizedInFront) {
  ModelBuilder builder;
  builder.input("x", {2, 3}).floats("s", {}, {0.5F}).small("z", DType::kInt8, {}, {0});
  builder.node("Neg", {"x"}, {"a"}, {}, "", "neg").node("Transpose", {"a"}, {"t"}, {}, "", "t");
  builder.node("QuantizeLinear", {"t", "s", "z"}, {"tq"}).node("DequantizeLinear", {"tq", "s", "z"}, {"y"});
  builder.output("y");
  EXPECT_EQ(forms(builder), "Neg Transpose " + kPair);
  builder.output("a");
  EXPECT_EQ(forms(builder), "Neg " + kPair + " Transpose " + kPair);
}

// MatMul [1,2,4,4] x [4,3] + b [3].
ModelBuilder added_bias(DType dtype) {
  ModelBuilder builder = quantized_input(dtype);
  builder.small("w", DType::kInt8, {4, 3}, std::vector<int>(12, 1)).small("wz", DType::kInt8, {}, {0});
  builder.floats("b", {3}, {1, 2, 3}).node("DequantizeLinear", {"w", "s", "wz"}, {"wd"});
  builder.node("MatMul", {"xd", "wd"}, {"m"}).node("Add", {"m", "b"}, {"y"}, {}, "", "add").output("y");
  return builder;
}

TEST(RuntimeForms, AConstantAddedToAProductOfBytesHasItsRank) {
  Graph graph = added_bias(DType::kInt8).import();
  use_runtime_forms(graph);
  const Tensor& wide = *graph.constant(node_named(graph, "add").input(1));
  EXPECT_EQ(wide.shape(), (Shape{1, 1, 1, 3}));
  EXPECT_EQ(wide.data<float>()[2], 3.0F);

  Graph words = added_bias(DType::kInt16).import();
  use_runtime_forms(words);
  EXPECT_EQ(words.constant(node_named(words, "add").input(1))->shape(), Shape{3});
}

TEST(RuntimeForms, AStackOfMatricesWithScalesPerColumnStaysApart) {
  const auto product = [](const std::vector<int64_t>& shape, size_t scales) {
    ModelBuilder builder = quantized_input();
    const auto count = static_cast<int64_t>(scales);
    builder.small("w", DType::kInt8, shape, std::vector<int>(shape.size() == 3 ? 24 : 12, 1));
    builder.floats("ws", {count}, std::vector<float>(scales, 1))
        .small("wz", DType::kInt8, {count}, std::vector<int>(scales, 0));
    builder.node("DequantizeLinear", {"w", "ws", "wz"}, {"wd"}, {{"axis", int64_t{-1}}});
    builder.node("MatMul", {"xd", "wd"}, {"y"}).output("y");
    return forms(builder);
  };
  const std::string before = kPair + " DequantizeLinear ";
  EXPECT_EQ(product({2, 4, 3}, 3), before + "Concat MatMul");
  EXPECT_EQ(product({2, 4, 3}, 1), before + "MatMul");
  EXPECT_EQ(product({4, 3}, 3), before + "MatMul");
}

}  // namespace
}  // namespace twofold::testing
