#include <gtest/gtest.h>

#include <cmath>

#include "ops/run_op.h"

namespace twofold::testing {
namespace {

using Ints = std::vector<int64_t>;

// The sum that defines a convolution, for two spatial dimensions.
std::vector<double> conv_loop(const Tensor& x, const Tensor& w, const Tensor& b, int64_t group, const Ints& strides,
                              const Ints& dilations, const Ints& pads, const Shape& out) {
  const auto xs = x.data<float>(), ws = w.data<float>();
  std::vector<double> y;
  const int64_t per_group = w.dim(0) / group;
  for (int64_t n = 0; n < out[0]; ++n)
    for (int64_t m = 0; m < out[1]; ++m)
      for (int64_t i = 0; i < out[2]; ++i)
        for (int64_t j = 0; j < out[3]; ++j) {
          double sum = b.defined() ? b.data<float>()[static_cast<size_t>(m)] : 0.0F;
          for (int64_t c = 0; c < w.dim(1); ++c)
            for (int64_t r = 0; r < w.dim(2); ++r)
              for (int64_t s = 0; s < w.dim(3); ++s) {
                const int64_t row = i * strides[0] + r * dilations[0] - pads[0];
                const int64_t column = j * strides[1] + s * dilations[1] - pads[1];
                if (row < 0 || row >= x.dim(2) || column < 0 || column >= x.dim(3)) continue;
                const int64_t channel = m / per_group * w.dim(1) + c;
                sum += static_cast<double>(
                           xs[static_cast<size_t>(((n * x.dim(1) + channel) * x.dim(2) + row) * x.dim(3) + column)]) *
                       ws[static_cast<size_t>(((m * w.dim(1) + c) * w.dim(2) + r) * w.dim(3) + s)];
              }
          y.push_back(sum);
        }
  return y;
}

void expect_near(const Tensor& y, const std::vector<double>& expected, double tolerance = 1e-4) {
  const auto got = y.data<float>();
  ASSERT_EQ(got.size(), expected.size());
  for (size_t i = 0; i < got.size(); ++i) ASSERT_NEAR(got[i], expected[i], tolerance) << "at " << i;
}

TEST(Conv, LiteralWithPadding) {
  const Tensor x = counting<float>({1, 1, 3, 3});
  const Tensor w = tensor<float>({1, 1, 2, 2}, {1, 2, 3, 4});
  const Tensor y = run_op("Conv", {x, w}, {{"pads", Ints{1, 0, 0, 0}}})[0];
  EXPECT_EQ(y.shape(), (Shape{1, 1, 3, 2}));
  EXPECT_EQ(values<float>(y), (std::vector<float>{4, 11, 27, 37, 57, 67}));
}

TEST(Conv, GroupsStridesDilationsAgreeWithTheSum) {
  struct Case {
    int64_t channels, outputs, group;
    Ints kernel, strides, dilations, pads;
    Shape out;
  };
  const Case cases[] = {
      {3, 16, 1, {3, 3}, {2, 2}, {1, 1}, {1, 1, 1, 1}, {2, 16, 6, 5}},
      {8, 8, 8, {5, 3}, {1, 1}, {1, 1}, {2, 1, 2, 1}, {2, 8, 11, 9}},
      {6, 9, 3, {3, 2}, {1, 2}, {2, 1}, {0, 1, 2, 0}, {2, 9, 9, 5}},
      {4, 8, 4, {3, 3}, {1, 1}, {1, 1}, {0, 0, 0, 0}, {2, 8, 9, 7}},
      {32, 20, 1, {1, 1}, {1, 1}, {1, 1}, {0, 0, 0, 0}, {2, 20, 11, 9}},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(to_string(c.out));
    const Tensor x = random_tensor({2, c.channels, 11, 9}, 1);
    const Tensor w = random_tensor({c.outputs, c.channels / c.group, c.kernel[0], c.kernel[1]}, 2);
    const Tensor b = random_tensor({c.outputs}, 3);
    const Tensor y =
        run_op("Conv", {x, w, b},
               {{"group", c.group}, {"strides", c.strides}, {"dilations", c.dilations}, {"pads", c.pads}})[0];
    ASSERT_EQ(y.shape(), c.out);
    expect_near(y, conv_loop(x, w, b, c.group, c.strides, c.dilations, c.pads, c.out));
  }
}

TEST(Conv, AutoPadPlacesTheOddPaddingWhereItSays) {
  const Tensor x = counting<float>({1, 1, 1, 4});
  const Tensor w = tensor<float>({1, 1, 1, 2}, {1, 10});
  EXPECT_EQ(values<float>(run_op("Conv", {x, w}, {{"auto_pad", std::string("SAME_UPPER")}})[0]),
            (std::vector<float>{10, 21, 32, 3}));
  EXPECT_EQ(values<float>(run_op("Conv", {x, w}, {{"auto_pad", std::string("SAME_LOWER")}})[0]),
            (std::vector<float>{0, 10, 21, 32}));
  EXPECT_EQ(run_op("Conv", {x, w}, {{"auto_pad", std::string("VALID")}})[0].shape(), (Shape{1, 1, 1, 3}));
}

TEST(Conv, OneAndThreeDimensions) {
  const Tensor line = tensor<float>({1, 1, 4}, {1, 2, 3, 4});
  EXPECT_EQ(values<float>(run_op("Conv", {line, tensor<float>({1, 1, 3}, {1, 0, -1})})[0]),
            (std::vector<float>{-2, -2}));
  const Tensor cube = counting<float>({1, 1, 2, 2, 2});
  EXPECT_EQ(values<float>(run_op("Conv", {cube, tensor<float>({1, 1, 2, 1, 1}, {1, 2})})[0]),
            (std::vector<float>{8, 11, 14, 17}));
}

TEST(Conv, ConstantWeightsServeEveryInputShape) {
  Graph graph;
  const ValueId x = graph.add_value("x"), y = graph.add_value("y");
  const Tensor w = random_tensor({5, 3, 3, 3}, 7);
  const ValueId weights = graph.add_constant("w", w);
  graph.inputs = {x};
  graph.outputs = {{"y", y}};
  graph.add_node(
      {.name = "", .op_type = "Conv", .domain = "", .inputs = {x, weights}, .outputs = {y}, .attributes = {}});
  const Executor executor(graph, {2, {}});
  for (int64_t width : {4, 9, 4, 30}) {
    const Tensor input = random_tensor({1, 3, 5, width}, static_cast<uint32_t>(width));
    const Tensor got = executor.run({input})[0];
    expect_near(got, conv_loop(input, w, {}, 1, {1, 1}, {1, 1}, {0, 0}, {1, 5, 3, width - 2}));
  }
}

TEST(Conv, RefusesWhatDoesNotFit) {
  const Tensor x = random_tensor({1, 4, 5, 5}, 1), w = random_tensor({6, 4, 3, 3}, 2);
  const auto error = [&](const std::vector<Tensor>& inputs, const AttributeList& attributes) {
    return error_of("Conv", inputs, attributes);
  };
  EXPECT_EQ(error({x, random_tensor({6, 3, 3, 3}, 2)}, {}), ErrorCode::kInvalidModel);
  EXPECT_EQ(error({x, w, random_tensor({5}, 2)}, {}), ErrorCode::kInvalidModel);
  EXPECT_EQ(error({x, w}, {{"group", int64_t{0}}}), ErrorCode::kInvalidModel);
  EXPECT_EQ(error({x, w}, {{"strides", Ints{0, 1}}}), ErrorCode::kInvalidModel);
  EXPECT_EQ(error({x, w}, {{"strides", Ints{1}}}), ErrorCode::kInvalidModel);
  EXPECT_EQ(error({x, w}, {{"pads", Ints{-1, 0, 0, 0}}}), ErrorCode::kInvalidModel);
  EXPECT_EQ(error({x, w}, {{"dilations", Ints{int64_t{1} << 40, 1}}}), ErrorCode::kInvalidModel);
  EXPECT_EQ(error({x, w}, {{"kernel_shape", Ints{3, 2}}}), ErrorCode::kInvalidModel);
  EXPECT_EQ(error({x, random_tensor({6, 4, 7, 3}, 2)}, {}), ErrorCode::kInvalidModel);
  EXPECT_EQ(error({random_tensor({4, 5}, 1), w}, {}), ErrorCode::kInvalidModel);
  EXPECT_EQ(error({x, w}, {{"auto_pad", std::string("SAME")}}), ErrorCode::kInvalidModel);
  EXPECT_EQ(error({Tensor(DType::kFloat64, {1, 4, 5, 5}), w}, {}), ErrorCode::kUnsupported);
}

TEST(Conv, EmptyBatch) {
  EXPECT_EQ(run_op("Conv", {Tensor(DType::kFloat32, {0, 4, 5, 5}), random_tensor({6, 4, 3, 3}, 2)})[0].shape(),
            (Shape{0, 6, 3, 3}));
}

}  // namespace
}  // namespace twofold::testing
