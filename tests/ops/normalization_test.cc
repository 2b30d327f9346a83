#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "ops/same_on_every_target.h"

namespace twofold::testing {
namespace {

using Floats = std::vector<float>;

// (x - mean) / sqrt(variance + epsilon) of x[begin, begin + n).
std::vector<double> normalized(const Floats& x, size_t begin, size_t n, double epsilon) {
  double mean = 0, variance = 0;
  for (size_t i = begin; i < begin + n; ++i) mean += x[i] / static_cast<double>(n);
  for (size_t i = begin; i < begin + n; ++i) variance += (x[i] - mean) * (x[i] - mean) / static_cast<double>(n);
  std::vector<double> y;
  for (size_t i = begin; i < begin + n; ++i) y.push_back((x[i] - mean) / std::sqrt(variance + epsilon));
  return y;
}

TEST(LayerNormalization, AgreesWithTheFormula) {
  const Tensor x = random_tensor({7, 301}, 1), scale = random_tensor({301}, 2), bias = random_tensor({301}, 3);
  const auto y = run_op_everywhere("LayerNormalization", {x, scale, bias}, {}, 3);
  for (size_t r = 0; r < 7; ++r) {
    const auto expected = normalized(values<float>(x), r * 301, 301, 1e-5);
    for (size_t i = 0; i < 301; ++i) {
      EXPECT_NEAR(values<float>(y[0])[r * 301 + i], expected[i] * values<float>(scale)[i] + values<float>(bias)[i],
                  1e-5);
    }
  }
  EXPECT_EQ(y[1].shape(), (Shape{7, 1}));
  EXPECT_EQ(y[2].shape(), (Shape{7, 1}));
}

TEST(LayerNormalization, LiteralAndScaleThatBroadcasts) {
  const Tensor x = tensor<float>({2, 2, 2}, {0, 2, 4, 6, 1, 3, 5, 7});
  const AttributeList whole = {{"axis", int64_t{1}}, {"epsilon", 4.0F}};  // variance 5, deviation 3
  const Floats expected = {-1, -1.0F / 3, 1.0F / 3, 1, -1, -1.0F / 3, 1.0F / 3, 1};
  const Floats y = values<float>(run_op("LayerNormalization", {x, tensor<float>({1}, {1})}, whole)[0]);
  for (size_t i = 0; i < 8; ++i) EXPECT_FLOAT_EQ(y[i], expected[i]);
  const Floats columns = values<float>(run_op("LayerNormalization", {x, tensor<float>({2}, {1, 3})}, whole)[0]);
  EXPECT_FLOAT_EQ(columns[1], -1);
  EXPECT_FLOAT_EQ(columns[0], -1);
  EXPECT_EQ(error_of("LayerNormalization", {x, tensor<float>({3}, {1, 1, 1})}), ErrorCode::kInvalidModel);
}

TEST(RmsNormalization, Literal) {
  const Tensor x = tensor<float>({1, 2}, {3, 4});
  const Floats y = values<float>(run_op("RMSNormalization", {x, tensor<float>({2}, {1, 10})}, {{"epsilon", 12.5F}})[0]);
  EXPECT_FLOAT_EQ(y[0], 0.6F);
  EXPECT_FLOAT_EQ(y[1], 8);
}

TEST(GroupNormalization, AgreesWithTheFormula) {
  const Tensor x = random_tensor({2, 6, 5, 7}, 1), scale = random_tensor({6}, 2), bias = random_tensor({6}, 3);
  const Floats y =
      values<float>(run_op_everywhere("GroupNormalization", {x, scale, bias}, {{"num_groups", int64_t{3}}})[0]);
  for (size_t g = 0; g < 6; ++g) {
    const auto expected = normalized(values<float>(x), g * 70, 70, 1e-5);
    for (size_t i = 0; i < 70; ++i) {
      const size_t c = (g * 70 + i) / 35 % 6;
      EXPECT_NEAR(y[g * 70 + i], expected[i] * values<float>(scale)[c] + values<float>(bias)[c], 1e-5);
    }
  }
  EXPECT_EQ(error_of("GroupNormalization", {x, scale, bias}, {{"num_groups", int64_t{4}}}), ErrorCode::kInvalidModel);
  expect_same(run_op("InstanceNormalization", {x, scale, bias})[0],
              run_op("GroupNormalization", {x, scale, bias}, {{"num_groups", int64_t{6}}})[0]);
}

TEST(BatchNormalization, EveryLayoutAndTraining) {
  const Tensor x = random_tensor({2, 3, 5, 7}, 1), scale = random_tensor({3}, 2), bias = random_tensor({3}, 3);
  const Tensor mean = random_tensor({3}, 4), variance = tensor<float>({3}, {0.5F, 1, 2});
  const Tensor y = run_op_everywhere("BatchNormalization", {x, scale, bias, mean, variance})[0];
  for (size_t i = 0; i < 210; ++i) {
    const size_t c = i / 35 % 3;
    const double z = (values<float>(x)[i] - values<float>(mean)[c]) / std::sqrt(values<float>(variance)[c] + 1e-5);
    EXPECT_NEAR(values<float>(y)[i], z * values<float>(scale)[c] + values<float>(bias)[c], 1e-5);
  }
  expect_same(run_op("BatchNormalization", {channels_last(x), scale, bias, mean, variance})[0], y);
  EXPECT_EQ(error_of("BatchNormalization", {x, scale, bias, mean, tensor<float>({2}, {1, 1})}),
            ErrorCode::kInvalidModel);
  const Tensor pair = tensor<float>({2, 1}, {1, 5}), one = tensor<float>({1}, {1}), zero = tensor<float>({1}, {0});
  const auto trained = run_op("BatchNormalization", {pair, one, zero, zero, one},
                              {{"training_mode", int64_t{1}}, {"momentum", 0.5F}, {"epsilon", 0.0F}}, 3);
  EXPECT_EQ(values<float>(trained[0]), (Floats{-1, 1}));
  EXPECT_EQ(values<float>(trained[1]), Floats{1.5F});
  EXPECT_EQ(values<float>(trained[2]), Floats{2.5F});
}

TEST(Lrn, WindowLeansBack) {
  const Tensor x = tensor<float>({1, 3, 1, 1}, {1, 2, 3});
  const Floats y =
      values<float>(run_op("LRN", {x}, {{"size", int64_t{2}}, {"alpha", 2.0F}, {"beta", 1.0F}, {"bias", 1.0F}})[0]);
  EXPECT_FLOAT_EQ(y[0], 1.0F / 6);   // 1 + 1 + 4
  EXPECT_FLOAT_EQ(y[1], 2.0F / 14);  // 1 + 4 + 9
  EXPECT_FLOAT_EQ(y[2], 3.0F / 10);
  EXPECT_EQ(error_of("LRN", {x}, {{"size", int64_t{0}}}), ErrorCode::kInvalidModel);
}

TEST(LpNormalization, BothNorms) {
  const Tensor x = tensor<float>({2, 2}, {3, -4, 0, 0});
  EXPECT_EQ(values<float>(run_op("LpNormalization", {x})[0]), (Floats{0.6F, -0.8F, 0, 0}));
  EXPECT_EQ(values<float>(run_op("LpNormalization", {x}, {{"p", int64_t{1}}})[0]), (Floats{3.0F / 7, -4.0F / 7, 0, 0}));
}

TEST(MeanVarianceNormalization, OverBatchAndSpace) {
  const Tensor x = tensor<float>({2, 2, 1, 1}, {1, 10, 5, 30});
  const Floats y = values<float>(run_op_everywhere("MeanVarianceNormalization", {x})[0]);
  EXPECT_EQ(y, (Floats{-1, -1, 1, 1}));
}

}  // namespace
}  // namespace twofold::testing
