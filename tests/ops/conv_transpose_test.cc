#include <gtest/gtest.h>

#include <algorithm>

#include "ops/run_op.h"

namespace twofold::testing {
namespace {

using Ints = std::vector<int64_t>;

TEST(ConvTranspose, LiteralOverlap) {
  const Tensor x = counting<float>({1, 1, 2, 2});
  const Tensor w = tensor<float>({1, 1, 2, 2}, {1, 1, 1, 1});
  const Tensor y = run_op("ConvTranspose", {x, w})[0];
  EXPECT_EQ(y.shape(), (Shape{1, 1, 3, 3}));
  EXPECT_EQ(values<float>(y), (std::vector<float>{0, 1, 1, 2, 6, 4, 2, 5, 3}));
}

TEST(ConvTranspose, GroupsScatterAsTheDefinitionSays) {
  const int64_t group = 2;
  const Ints strides = {2, 3}, dilations = {1, 2}, pads = {1, 0, 0, 1};
  const Tensor x = random_tensor({2, 4, 5, 4}, 1), w = random_tensor({4, 3, 3, 2}, 2), b = random_tensor({6}, 3);
  const Tensor y = run_op("ConvTranspose", {x, w, b},
                          {{"group", group},
                           {"strides", strides},
                           {"dilations", dilations},
                           {"pads", pads},
                           {"output_padding", Ints{1, 0}}})[0];
  ASSERT_EQ(y.shape(), (Shape{2, 6, 11, 11}));
  std::vector<double> expected(static_cast<size_t>(y.size()));
  for (size_t i = 0; i < expected.size(); ++i) expected[i] = b.data<float>()[i / 121 % 6];
  for (int64_t n = 0; n < 2; ++n)
    for (int64_t c = 0; c < 4; ++c)
      for (int64_t i = 0; i < 5; ++i)
        for (int64_t j = 0; j < 4; ++j)
          for (int64_t m = 0; m < 3; ++m)
            for (int64_t r = 0; r < 3; ++r)
              for (int64_t s = 0; s < 2; ++s) {
                const int64_t row = i * 2 + r - 1, column = j * 3 + s * 2;
                if (row < 0 || row >= 11 || column >= 11) continue;
                const int64_t channel = c / 2 * 3 + m;
                expected[static_cast<size_t>(((n * 6 + channel) * 11 + row) * 11 + column)] +=
                    static_cast<double>(x.data<float>()[static_cast<size_t>(((n * 4 + c) * 5 + i) * 4 + j)]) *
                    w.data<float>()[static_cast<size_t>(((c * 3 + m) * 3 + r) * 2 + s)];
              }
  for (size_t i = 0; i < expected.size(); ++i) ASSERT_NEAR(y.data<float>()[i], expected[i], 1e-4) << i;
}

// output_padding may be the stride or more where the dilation is larger still: what it adds, nothing reaches.
TEST(ConvTranspose, OutputPaddingBeyondTheStride) {
  const Tensor x = tensor<float>({1, 1, 1, 2}, {1, 2}), w = tensor<float>({1, 1, 1, 2}, {3, 4});
  const Tensor b = tensor<float>({1}, {10});
  const Tensor y = run_op("ConvTranspose", {x, w, b}, {{"dilations", Ints{1, 3}}, {"output_padding", Ints{0, 2}}})[0];
  ASSERT_EQ(y.shape(), (Shape{1, 1, 1, 7}));
  EXPECT_EQ(values<float>(y), (std::vector<float>{13, 16, 10, 14, 18, 10, 10}));
}

// One ConvTranspose with constant weights, whose windows tile the output, as the engine runs it.
Tensor run_constant(const Tensor& x, const Tensor& w, const Tensor& bias, int threads, bool relu = false) {
  Graph graph;
  const ValueId in = graph.add_value("x"), weights = graph.add_constant("w", w), y = graph.add_value("y");
  const ValueId b = bias.defined() ? graph.add_constant("b", bias) : kNone;
  Node node{.name = "n", .op_type = "ConvTranspose", .domain = "", .inputs = {in, weights, b}, .outputs = {y}};
  node.attributes.set("strides", Ints(w.shape().begin() + 2, w.shape().end()));
  graph.add_node(std::move(node));
  graph.inputs = {in};
  graph.outputs = {{"y", y}};
  if (relu) {
    const ValueId z = graph.add_value("z");
    graph.add_node({.name = "r", .op_type = "Relu", .domain = "", .inputs = {y}, .outputs = {z}});
    graph.outputs = {{"z", z}};
  }
  return Executor(graph, {threads, {}}).run({x})[0];
}

// Weights that the graph computes go the general way.
TEST(ConvTranspose, TilesEqualTheGeneralWay) {
  const std::pair<Shape, Shape> cases[] = {
      {{1, 3, 5, 4}, {3, 2, 2, 2}},       {{2, 5, 7, 3}, {5, 1, 2, 2}},       {{2, 4, 3, 5}, {4, 3, 3, 1}},
      {{1, 4, 3, 5}, {4, 3, 1, 4}},       {{3, 2, 4, 4}, {2, 6, 1, 1}},       {{2, 3, 9}, {3, 2, 4}},
      {{2, 3, 3, 4, 5}, {3, 2, 2, 3, 2}}, {{1, 2, 2, 3, 2}, {2, 1, 2, 1, 1}}, {{1, 8, 96, 96}, {8, 4, 2, 2}},
      {{1, 2, 2, 40000}, {2, 1, 2, 2}},
  };
  for (const auto& [x_shape, w_shape] : cases) {
    const Tensor x = random_tensor(x_shape, 1), w = random_tensor(w_shape, 2);
    for (const Tensor& bias : {Tensor(), random_tensor({w_shape[1]}, 3)}) {
      const Ints strides(w_shape.begin() + 2, w_shape.end());
      const Tensor expected = run_op("ConvTranspose", {x, w, bias}, {{"strides", strides}})[0];
      for (int threads : {1, 3}) {
        const Tensor y = run_constant(x, w, bias, threads), positive = run_constant(x, w, bias, threads, true);
        ASSERT_EQ(y.shape(), expected.shape());
        for (size_t i = 0; i < static_cast<size_t>(y.size()); ++i) {
          ASSERT_NEAR(y.data<float>()[i], expected.data<float>()[i], 1e-5) << to_string(w_shape) << " at " << i;
          ASSERT_EQ(positive.data<float>()[i], std::max(y.data<float>()[i], 0.0F));
        }
      }
    }
  }
}

TEST(ConvTranspose, LiteralTiles) {
  const Tensor x = tensor<float>({1, 2, 1, 2}, {1, -2, 10, 20});
  const Tensor w = tensor<float>({2, 1, 2, 2}, {1, 2, 3, 4, 1, 0, -1, 0});
  const Tensor y = run_constant(x, w, tensor<float>({1}, {100}), 1);
  EXPECT_EQ(y.shape(), (Shape{1, 1, 2, 4}));
  EXPECT_EQ(values<float>(y), (std::vector<float>{111, 102, 118, 96, 93, 104, 74, 92}));
}

TEST(ConvTranspose, OutputShapeAndAutoPad) {
  const Tensor x = counting<float>({1, 1, 3}), w = tensor<float>({1, 1, 3}, {1, 10, 100});
  const AttributeList stride = {{"strides", Ints{2}}};
  const auto with = [&](const std::string& name, const Attribute& value) {
    AttributeList list = stride;
    list.emplace_back(name, value);
    return values<float>(run_op("ConvTranspose", {x, w}, list)[0]);
  };
  // The whole sum is 0 0 1 10 102 20 200.
  EXPECT_EQ(values<float>(run_op("ConvTranspose", {x, w}, stride)[0]), (std::vector<float>{0, 0, 1, 10, 102, 20, 200}));
  EXPECT_EQ(with("output_shape", Ints{6}), (std::vector<float>{0, 1, 10, 102, 20, 200}));
  EXPECT_EQ(with("auto_pad", std::string("SAME_UPPER")), (std::vector<float>{0, 0, 1, 10, 102, 20}));
  EXPECT_EQ(with("auto_pad", std::string("SAME_LOWER")), (std::vector<float>{0, 1, 10, 102, 20, 200}));
  EXPECT_EQ(with("output_padding", Ints{1}), (std::vector<float>{0, 0, 1, 10, 102, 20, 200, 0}));
}

TEST(ConvTranspose, RefusesWhatDoesNotFit) {
  const Tensor x = random_tensor({1, 4, 3, 3}, 1), w = random_tensor({4, 2, 2, 2}, 2);
  const auto error = [&](const std::vector<Tensor>& inputs, const AttributeList& attributes) {
    return error_of("ConvTranspose", inputs, attributes);
  };
  EXPECT_EQ(error({x, random_tensor({3, 2, 2, 2}, 2)}, {}), ErrorCode::kInvalidModel);
  EXPECT_EQ(error({x, w}, {{"group", int64_t{3}}}), ErrorCode::kInvalidModel);
  EXPECT_EQ(error({x, w}, {{"output_padding", Ints{1, 1}}}), ErrorCode::kInvalidModel);
  EXPECT_EQ(error({x, w}, {{"output_shape", Ints{-4, 4}}}), ErrorCode::kInvalidModel);
  EXPECT_EQ(error({x, w}, {{"output_shape", Ints{4}}}), ErrorCode::kInvalidModel);
  EXPECT_EQ(error({x, w}, {{"pads", Ints{9, 9, 9, 9}}}), ErrorCode::kInvalidModel);
  EXPECT_EQ(error({x, w}, {{"strides", Ints{(int64_t{1} << 31) - 1, (int64_t{1} << 31) - 1}}}),
            ErrorCode::kResourceExhausted);
}

}  // namespace
}  // namespace twofold::testing
