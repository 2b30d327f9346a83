#include "engine/qdq_builder.h"
#include "numeric/quantize.h"

namespace twofold {
namespace {

using testing::random_tensor;

TEST(Lower, FunctionsBecomeTables) {
  for (const DType dtype : {DType::kInt8, DType::kUInt8, DType::kInt16, DType::kUInt16}) {
    const int32_t zero = dtype == DType::kUInt8 ? 128 : dtype == DType::kUInt16 ? 32000 : 0;
    for (const char* op : {"Sigmoid", "HardSwish", "Gelu", "Exp", "Abs", "Tanh", "Relu", "LeakyRelu"}) {
      SCOPED_TRACE(std::string(op) + " " + std::string(to_string(dtype)));
      QdqBuilder b;
      const float scale = byte_size(dtype) == 1 ? 0.04F : 0.0003F;
      const ValueId x = b.edge(b.input("x", {-1, 3, -1}), scale, dtype, zero);
      b.output(b.edge(b.node("y", op, {x}), 0.03F, DType::kInt8, -5));
      EXPECT_EQ(expect_definition(b.graph, {random_tensor({2, 3, 777}, 1)}), "QuantizeLinear Table DequantizeLinear");
    }
  }
}

TEST(Lower, ChainsBecomeOneTable) {
  QdqBuilder b;
  const ValueId x = b.edge(b.input("x", {-1}), 0.05F);
  const ValueId y =
      b.node("y", "Mul", {b.node("s", "Sigmoid", {b.node("a", "Add", {x, b.scalar(0.3F)})}), b.scalar(3)});
  b.output(b.edge(y, 0.02F, DType::kInt16));
  EXPECT_EQ(expect_definition(b.graph, {random_tensor({5000}, 2)}), "QuantizeLinear Table DequantizeLinear");
}

TEST(Lower, AScaleThatChangesIsATableAndOneThatStaysIsNothing) {
  QdqBuilder b;
  const ValueId x = b.edge(b.input("x", {-1}), 0.05F);
  b.output(b.edge(b.edge(x, 0.05F), 0.07F));
  EXPECT_EQ(expect_definition(b.graph, {random_tensor({5000}, 3)}), "QuantizeLinear Table DequantizeLinear");
}

TEST(Lower, OperatorsOfTwoTensorsBecomeElementwise) {
  for (const char* op : {"Add", "Sub", "Mul", "Div", "Max"}) {
    for (const Shape& shape : {Shape{2, 5, 6, 7}, Shape{2, 5, 1, 1}, Shape{7}, Shape{1, 5, 6, 1}}) {
      SCOPED_TRACE(std::string(op) + " " + to_string(shape));
      QdqBuilder b;
      const ValueId x = b.edge(b.input("x", {2, 5, 6, 7}), 0.03F);
      const ValueId y = b.edge(b.input("y", shape), 0.0002F, DType::kInt16, 9);
      b.output(b.edge(b.node("relu", "Relu", {b.node("o", op, {y, x})}), 0.04F, DType::kUInt8, 3));
      EXPECT_EQ(expect_definition(b.graph, {random_tensor({2, 5, 6, 7}, 1), random_tensor(shape, 2)}),
                "QuantizeLinear QuantizeLinear Elementwise DequantizeLinear");
    }
  }
}

TEST(Lower, AnEdgeAtTwoPrecisionsHasTwoOutputs) {
  QdqBuilder b;
  const ValueId x = b.edge(b.input("x", {4, 30}), 0.03F), y = b.edge(b.input("y", {4, 30}), 0.02F);
  const ValueId sum = b.node("sum", "Add", {x, y});
  b.output(b.edge(sum, 0.04F));
  b.output(b.edge(sum, 0.0002F, DType::kInt16));
  b.output(sum);
  EXPECT_EQ(expect_definition(b.graph, {random_tensor({4, 30}, 1), random_tensor({4, 30}, 2)}),
            "QuantizeLinear QuantizeLinear Elementwise DequantizeLinear DequantizeLinear");
}

TEST(Lower, MovesMoveIntegers) {
  QdqBuilder b;
  const ValueId x = b.edge(b.input("x", {2, 3, 4}), 0.03F, DType::kInt16),
                y = b.edge(b.input("y", {2, 3, 4}), 0.03F, DType::kInt16);
  const ValueId joined = b.node("joined", "Concat", {x, y}, {{"axis", int64_t{1}}});
  const ValueId turned = b.node("turned", "Transpose", {joined}, {{"perm", std::vector<int64_t>{2, 0, 1}}});
  b.output(b.edge(b.node("flat", "Reshape", {turned, b.ints({-1})}), 0.03F, DType::kInt16));
  EXPECT_EQ(expect_definition(b.graph, {random_tensor({2, 3, 4}, 1), random_tensor({2, 3, 4}, 2)}),
            "QuantizeLinear QuantizeLinear Concat Transpose Reshape DequantizeLinear");
}

TEST(Lower, NearestResizeMovesIntegers) {
  for (const DType dtype : {DType::kInt8, DType::kUInt8, DType::kInt16, DType::kUInt16}) {
    for (const char* coordinates : {"asymmetric", "half_pixel", "align_corners"}) {
      QdqBuilder b;
      const ValueId x = b.edge(b.input("x", {1, 3, 5, 6}), 0.03F, dtype, 9);
      b.output(b.edge(b.node("y", "Resize", {x, kNone, b.floats({4}, {1, 1, 2, 1.5})},
                             {{"coordinate_transformation_mode", std::string(coordinates)}}),
                      0.03F, dtype, 9));
      EXPECT_EQ(expect_definition(b.graph, {random_tensor({1, 3, 5, 6}, 1)}), "QuantizeLinear Resize DequantizeLinear");
    }
  }
}

TEST(Lower, MaxPoolsTakeIntegersOfBothSizes) {
  for (const DType dtype : {DType::kInt8, DType::kUInt16}) {
    QdqBuilder b;
    const ValueId x = b.edge(b.input("x", {1, 3, 8, 9}), 0.03F, dtype, dtype == DType::kInt8 ? 0 : 40000);
    b.output(b.node("y", "MaxPool", {x},
                    {{"kernel_shape", std::vector<int64_t>{3, 2}}, {"pads", std::vector<int64_t>{1, 0, 1, 1}}}));
    EXPECT_EQ(expect_definition(b.graph, {random_tensor({1, 3, 8, 9}, 1)}), "QuantizeLinear MaxPool DequantizeLinear");
    QdqBuilder whole;
    const ValueId maps = whole.edge(whole.input("x", {1, 3, 8, 9}), 0.03F, dtype, dtype == DType::kInt8 ? 0 : 40000);
    whole.output(whole.node("y", "GlobalMaxPool", {maps}));
    EXPECT_EQ(expect_definition(whole.graph, {random_tensor({1, 3, 8, 9}, 1)}),
              "QuantizeLinear GlobalMaxPool DequantizeLinear");
  }
}

TEST(Lower, WhatFollowsAProductRunsOnItsBlocks) {
  for (const int64_t group : {1, 16}) {
    for (const Shape& addend :
         {Shape{2, 16, 9, 10}, Shape{1, 16, 1, 1}, Shape{2, 16, 1, 1}, Shape{}, Shape{2, 1, 9, 10}}) {
      SCOPED_TRACE(to_string(addend));
      QdqBuilder b;
      const ValueId x = b.edge(b.input("x", {2, 16, 9, 10}), 0.02F),
                    r = b.edge(b.input("r", addend), 0.03F, DType::kInt16);
      const ValueId conv = b.node("conv", "Conv", {x, b.weight({16, 16 / group, 3, 3}, 0.003F)},
                                  {{"pads", std::vector<int64_t>{1, 1, 1, 1}}, {"group", group}});
      const ValueId sum = b.node("sum", "Add", {b.node("swish", "HardSwish", {conv}), r});
      b.output(b.edge(b.node("scaled", "Mul", {b.node("relu", "Relu", {sum}), b.scalar(0.7F)}), 0.05F));
      EXPECT_EQ(expect_fusion_changes_nothing(b.graph, {random_tensor({2, 16, 9, 10}, 1), random_tensor(addend, 2)}),
                "QuantizeLinear QuantizeLinear IntegerConv DequantizeLinear");
    }
  }
}

TEST(Lower, ABiasAndAResidualBehindMatMul) {
  QdqBuilder b;
  const ValueId x = b.edge(b.input("x", {2, 7, 24}), 0.02F), r = b.edge(b.input("r", {2, 7, 100}), 0.03F);
  const ValueId product = b.node("product", "MatMul", {x, b.weight({24, 100}, 0.003F)});
  const ValueId sum = b.node("sum", "Add", {b.ramp({100}), product});
  b.output(b.edge(b.node("out", "Sub", {r, sum}), 0.05F));
  EXPECT_EQ(expect_fusion_changes_nothing(b.graph, {random_tensor({2, 7, 24}, 1), random_tensor({2, 7, 100}, 2)}),
            "QuantizeLinear QuantizeLinear IntegerMatMul DequantizeLinear");
}

TEST(Lower, StackedProductsHandTheirRowsOn) {
  QdqBuilder b;
  const ValueId x = b.edge(b.input("x", {3, 7, 24}), 0.02F), y = b.edge(b.input("y", {3, 24, 5}), 0.03F);
  const ValueId r = b.edge(b.input("r", {3, 7, 5}), 0.03F);
  b.output(b.edge(b.node("out", "Add", {b.node("product", "MatMul", {x, y}), r}), 0.05F));
  EXPECT_EQ(expect_fusion_changes_nothing(
                b.graph, {random_tensor({3, 7, 24}, 1), random_tensor({3, 24, 5}, 2), random_tensor({3, 7, 5}, 3)}),
            "QuantizeLinear QuantizeLinear QuantizeLinear IntegerMatMul DequantizeLinear");
}

TEST(Lower, TransposedConvolutionsThatTileAndThatDoNot) {
  for (const int64_t stride : {2, 1}) {
    QdqBuilder b;
    const ValueId x = b.edge(b.input("x", {2, 6, 5, 4}), 0.02F);
    const ValueId up = b.node("up", "ConvTranspose", {x, b.weight({6, 9, 2, 2}, 0.003F)},
                              {{"strides", std::vector<int64_t>{stride, stride}}});
    b.output(b.edge(b.node("out", "Sigmoid", {up}), 0.01F, DType::kUInt8));
    EXPECT_EQ(expect_fusion_changes_nothing(b.graph, {random_tensor({2, 6, 5, 4}, 1)}),
              "QuantizeLinear IntegerConvTranspose DequantizeLinear");
  }
}

TEST(Lower, AReluWithOneScaleNarrowsTheBoundsBeforeIt) {
  QdqBuilder b;
  const ValueId x = b.edge(b.input("x", {1, 8, 6, 6}), 0.02F), w = b.weight({8, 8, 1, 1}, 0.01F);
  const ValueId between = b.edge(b.node("conv", "Conv", {x, w}), 0.05F);
  b.output(b.edge(b.node("clip", "Clip", {between, b.scalar(0), b.scalar(3.3F)}), 0.05F));
  Graph folded = b.graph;
  lower(folded);
  EXPECT_EQ(ops(folded), "QuantizeLinear IntegerConv DequantizeLinear");
  // Not where something else reads the integers in between.
  const ValueId integers = b.graph.node(b.graph.producer(between)).input(0);
  b.graph.outputs.push_back({"between", integers});
  Graph kept = b.graph;
  lower(kept);
  EXPECT_EQ(ops(kept), "QuantizeLinear IntegerConv Table DequantizeLinear");
  const std::vector<Tensor> inputs = {random_tensor({1, 8, 6, 6}, 1)};
  testing::expect_same(Executor(folded, {.threads = 1}).run(inputs)[0], Executor(kept, {.threads = 1}).run(inputs)[0]);
}

}  // namespace
}  // namespace twofold
