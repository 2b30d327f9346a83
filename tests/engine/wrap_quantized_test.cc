#include <limits>

#include "engine/lowered_node.h"
#include "engine/qdq_builder.h"
#include "ops/same_on_every_target.h"

namespace twofold {
namespace {

using testing::random_tensor;

using AttributeList = std::vector<std::pair<std::string, Attribute>>;

// Numbers of which some are far outside the range of the integers, and some are none.
Tensor wide_tensor(const Shape& shape, uint32_t seed) {
  Tensor x = random_tensor(shape, seed);
  const std::span<float> values = x.mutable_data<float>();
  constexpr float kInf = std::numeric_limits<float>::infinity();
  constexpr float special[] = {kInf, -kInf, 1e30F, -1e30F, std::numeric_limits<float>::quiet_NaN(), 0.0F, -0.0F};
  for (size_t i = 0; i < values.size(); i += 29) values[i] = special[i / 29 % std::size(special)];
  return x;
}

int32_t zero_of(DType dtype) { return dtype == DType::kUInt8 ? 131 : dtype == DType::kUInt16 ? 30011 : -7; }

// op(DQ(x), constants...) -> Q, for every type of the integers before and behind, on data of one block, and on data of
// several, small and wide.
void expect_wrapped(const std::string& op, const AttributeList& attributes, const std::vector<Tensor>& constants,
                    const std::vector<Shape>& shapes) {
  for (const DType dtype : {DType::kInt8, DType::kUInt8, DType::kInt16, DType::kUInt16}) {
    for (const Shape& shape : shapes) {
      SCOPED_TRACE(op + " " + std::string(to_string(dtype)) + " " + to_string(shape));
      QdqBuilder b;
      const float scale = byte_size(dtype) == 1 ? 0.01F : 0.00004F;
      std::vector<ValueId> inputs = {b.edge(b.input("x", shape), scale, dtype, zero_of(dtype))};
      for (const Tensor& constant : constants) {
        inputs.push_back(constant.defined() ? b.graph.add_constant(b.graph.unique_value_name("c"), constant) : kNone);
      }
      b.output(b.edge(b.node("y", op, inputs, attributes), 2 * scale, dtype, zero_of(dtype) + 1));
      const std::string expected = "QuantizeLinear " + op + " DequantizeLinear";
      EXPECT_EQ(expect_definition(b.graph, {random_tensor(shape, 1)}), expected);
      EXPECT_EQ(expect_definition(b.graph, {wide_tensor(shape, 2)}), expected);
    }
  }
}

Attribute ints(std::vector<int64_t> values) { return values; }
Tensor floats(const std::vector<float>& values) {
  return Tensor::from<float>({static_cast<int64_t>(values.size())}, std::span<const float>(values));
}
Tensor numbers(const std::vector<int64_t>& values) {
  return Tensor::from<int64_t>({static_cast<int64_t>(values.size())}, std::span<const int64_t>(values));
}

// Of fewer elements than a block, and of several blocks.
const std::vector<Shape> kMaps = {{2, 6, 9, 11}, {2, 12, 70, 61}};

TEST(WrapQuantized, OperatorsOnRows) {
  for (const char* op : {"Softmax", "LogSoftmax", "Hardmax"}) {
    for (int64_t axis : {-1, 1, 0}) expect_wrapped(op, {{"axis", axis}}, {}, kMaps);
  }
  const Tensor scale = random_tensor({11}, 3), bias = random_tensor({11}, 4);
  for (const Shape& shape : {Shape{2, 6, 9, 11}, Shape{3, 20, 90, 11}}) {
    expect_wrapped("LayerNormalization", {}, {scale, bias}, {shape});
    expect_wrapped("RMSNormalization", {}, {scale}, {shape});
    // A scale for each row.
    expect_wrapped("LayerNormalization", {{"axis", int64_t{2}}}, {random_tensor({shape[1], 1, 1}, 5)}, {shape});
  }
  for (const char* op : {"ReduceMean", "ReduceMax", "ReduceL2"}) {
    for (int64_t keep : {0, 1}) {
      expect_wrapped(op, {{"keepdims", keep}}, {numbers({-1, 2})}, kMaps);
      expect_wrapped(op, {{"keepdims", keep}}, {numbers({1})}, kMaps);
    }
    expect_wrapped(op, {}, {}, kMaps);
  }
}

TEST(WrapQuantized, OperatorsOnChannels) {
  for (const char* op : {"GlobalAveragePool", "GlobalLpPool"}) expect_wrapped(op, {}, {}, kMaps);
  const AttributeList window = {
      {"kernel_shape", ints({3, 2})}, {"strides", ints({2, 1})}, {"pads", ints({1, 0, 1, 1})}};
  for (const char* op : {"AveragePool", "LpPool"}) expect_wrapped(op, window, {}, kMaps);
}

TEST(WrapQuantized, OperatorsOnWholeTensors) {
  const Tensor six = random_tensor({6}, 3), twelve = random_tensor({12}, 3);
  expect_wrapped("InstanceNormalization", {}, {six, random_tensor({6}, 4)}, {kMaps[0]});
  expect_wrapped("InstanceNormalization", {}, {twelve, random_tensor({12}, 4)}, {kMaps[1]});
  expect_wrapped("GroupNormalization", {{"num_groups", int64_t{3}}}, {twelve, random_tensor({12}, 4)}, {kMaps[1]});
  expect_wrapped("LRN", {{"size", int64_t{3}}}, {}, kMaps);
  expect_wrapped("LpNormalization", {{"axis", int64_t{1}}}, {}, kMaps);
  expect_wrapped("MeanVarianceNormalization", {}, {}, kMaps);
  expect_wrapped("CumSum", {}, {numbers({2}).reshaped({})}, kMaps);
  for (const char* mode : {"linear", "cubic"}) {
    expect_wrapped("Resize", {{"mode", std::string(mode)}}, {Tensor(), floats({1, 1, 2, 1.5F})}, kMaps);
  }
  expect_wrapped("Resize", {{"coordinate_transformation_mode", std::string("tf_crop_and_resize")}},
                 {floats({0, 0, -0.5F, 0, 1, 1, 1, 1.5F}), floats({1, 1, 2, 1.5F})}, kMaps);
  expect_wrapped("GridSample", {}, {random_tensor({2, 5, 7, 2}, 6)}, kMaps);
}

// Two residuals, normalized: what a transformer is made of.
struct Residual : QdqBuilder {
  ValueId sum, normal;
  std::vector<Tensor> inputs;

  Residual(const Shape& a, const Shape& b) : inputs({random_tensor(a, 1), random_tensor(b, 2)}) {
    sum = node("sum", "Add", {edge(input("a", a), 0.01F, DType::kInt16, 5), edge(input("b", b), 0.009F)});
    normal = node("normal", "LayerNormalization", {sum, ramp({a.back()})});
  }
};

TEST(WrapQuantized, ChainsBecomeOneNode) {
  for (const auto& [a, b] : {std::pair(Shape{3, 40, 300}, Shape{3, 40, 300}), std::pair(Shape{3, 40, 300}, Shape{300}),
                             std::pair(Shape{3, 40, 300}, Shape{3, 1, 300}), std::pair(Shape{2, 5}, Shape{2, 5})}) {
    SCOPED_TRACE(to_string(a) + " " + to_string(b));
    Residual g(a, b);
    g.output(g.edge(g.normal, 0.05F, DType::kUInt8, 100));
    EXPECT_EQ(expect_definition(g.graph, g.inputs),
              "QuantizeLinear QuantizeLinear Add LayerNormalization DequantizeLinear");
  }
}

TEST(WrapQuantized, EveryReaderHasItsOutput) {
  Residual g({3, 40, 300}, {3, 40, 300});
  g.output(g.edge(g.normal, 0.05F));
  g.output(g.edge(g.normal, 0.0002F, DType::kInt16));
  g.output(g.normal);
  EXPECT_EQ(expect_definition(g.graph, g.inputs),
            "QuantizeLinear QuantizeLinear Add LayerNormalization DequantizeLinear DequantizeLinear");
}

TEST(WrapQuantized, AChainEndsWhereItsResultHasTwoReaders) {
  Residual g({3, 40, 300}, {3, 40, 300});
  g.output(g.edge(g.normal, 0.05F));
  g.output(g.node("negative", "Neg", {g.sum}));
  EXPECT_EQ(expect_definition(g.graph, g.inputs),
            "QuantizeLinear DequantizeLinear QuantizeLinear DequantizeLinear Add Neg "
            "LayerNormalization DequantizeLinear");
}

TEST(WrapQuantized, WhatIsWatchedIsComputed) {
  Residual g({3, 40, 300}, {3, 40, 300});
  g.output(g.edge(g.normal, 0.05F));
  Graph lowered = g.graph;
  lower(lowered, {.watched = {"sum"}});
  EXPECT_NE(lowered.find_value("sum"), kNone);
  expect_same_bits(g.graph, lowered, g.inputs);
}

// Kinds of the lowered nodes that are not of a conversion, with their operators.
std::string kinds(const Graph& graph) {
  Graph lowered = graph;
  const FloatReasons reasons = lower(lowered).reasons;
  std::string list;
  for (const LoweredNode& node : describe_lowered(lowered, reasons)) {
    if (node.kind == LoweredKind::kConversion) continue;
    list += (list.empty() ? "" : ", ") + lowered.node(node.node).op_type + ": " + std::string(to_string(node.kind)) +
            " (" + node.why + ")";
  }
  return list;
}

TEST(WrapQuantized, FloatInputsKeepItAFloatOperator) {
  QdqBuilder b;
  b.output(b.edge(b.node("y", "Softmax", {b.input("x", {7, 9000})}), 0.01F));
  EXPECT_EQ(expect_definition(b.graph, {random_tensor({7, 9000}, 1)}), "Softmax DequantizeLinear");
  EXPECT_EQ(kinds(b.graph), "Softmax: float (its inputs are not quantized)");
}

TEST(WrapQuantized, AllMayBeConstant) {
  QdqBuilder b;
  b.output(b.edge(b.node("y", "Softmax", {b.ramp({3, 5})}), 0.01F));
  EXPECT_EQ(expect_definition(b.graph, {}), "Softmax DequantizeLinear");
}

TEST(WrapQuantized, SaysWhatItIs) {
  QdqBuilder b;
  const ValueId x = b.edge(b.input("x", {2, 3, 4, 5}), 0.01F);
  const ValueId mean = b.edge(b.node("mean", "GlobalAveragePool", {x}), 0.01F);
  b.output(b.node("y", "Reshape", {mean, b.ints({2, 3})}));
  EXPECT_EQ(kinds(b.graph), "GlobalAveragePool: quantized (integers in and out, float32 inside), Reshape: moved ()");
}

TEST(WrapQuantized, ProductsAreNotHidden) {
  QdqBuilder b;
  const ValueId x = b.edge(b.input("x", {4, 6}), 0.01F), y = b.edge(b.input("y", {6, 5}), 0.01F);
  b.output(b.edge(b.node("out", "Einsum", {x, y}, {{"equation", std::string("ij,jk->ik")}}), 0.02F));
  EXPECT_EQ(kinds(b.graph), "Einsum: float (has no integer form)");
}

TEST(WrapQuantized, ElementwiseOperatorsStayWithTheFloatProductBeforeThem) {
  QdqBuilder b;
  const ValueId product = b.node("product", "MatMul", {b.input("x", {4, 6}), b.ramp({6, 8})});
  b.output(b.edge(b.node("y", "Relu", {product}), 0.05F));
  EXPECT_EQ(kinds(b.graph),
            "MatMul: float (input 0 is not quantized with constant scales and one zero point), "
            "Relu: float (its inputs are not quantized)");
}

// Products give channels-last tensors.
TEST(WrapQuantized, TakesChannelsLast) {
  QdqBuilder b;
  const ValueId x = b.edge(b.input("x", {2, 3, 70, 60}), 0.01F);
  const ValueId map = b.edge(b.node("map", "Conv", {x, b.weight({20, 3, 1, 1}, 0.01F)}), 0.03F);
  b.output(b.edge(b.node("mean", "GlobalAveragePool", {map}), 0.01F));
  b.output(b.edge(b.node("soft", "Softmax", {map}, {{"axis", int64_t{1}}}), 0.004F));
  EXPECT_EQ(expect_fusion_changes_nothing(b.graph, {random_tensor({2, 3, 70, 60}, 1)}),
            "QuantizeLinear IntegerConv GlobalAveragePool DequantizeLinear Softmax DequantizeLinear");
}

TEST(WrapQuantized, SameBitsOnEveryTarget) {
  Residual g({3, 40, 301}, {3, 40, 301});
  g.output(g.edge(g.node("soft", "Softmax", {g.normal}), 0.002F, DType::kInt16));
  Graph lowered = g.graph;
  lower(lowered);
  const std::vector<Tensor> expected = Executor(g.graph).run(g.inputs);
  testing::for_each_target([&](const char* target) {
    SCOPED_TRACE(target);
    testing::expect_same(Executor(lowered).run(g.inputs)[0], expected[0]);
  });
}

}  // namespace
}  // namespace twofold
