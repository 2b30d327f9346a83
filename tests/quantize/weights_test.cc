#include "quantize/weights.h"

#include <gtest/gtest.h>

#include <numeric>
#include <random>
#include <vector>

#include "numeric/quantize_tensor.h"

namespace twofold {
namespace {

Tensor floats(Shape shape, const std::vector<float>& values) {
  return Tensor::from<float>(std::move(shape), std::span<const float>(values));
}

std::vector<int> integers(const Tensor& q) {
  std::vector<int> result;
  for (int8_t v : q.data<int8_t>()) result.push_back(v);
  return result;
}

TEST(WeightQParams, TakesTheLargestMagnitudePerChannel) {
  const Tensor weight = floats({2, 3}, {1.0F, -12.7F, 3.0F, 0.0F, 0.0F, 0.0F});
  const QParams rows = weight_qparams(weight, 0, QType::kInt8);
  EXPECT_EQ(rows.scale, (std::vector<float>{12.7F / 127.0F, 1.0F}));  // a filter of zeros gets scale 1
  const QParams columns = weight_qparams(weight, 1, QType::kInt16);
  EXPECT_EQ(columns.scale, (std::vector<float>{1.0F / 32767.0F, 12.7F / 32767.0F, 3.0F / 32767.0F}));
  EXPECT_EQ(weight_qparams(weight, -1, QType::kEc).scale, (std::vector<float>{12.7F / 127.0F}));
}

TEST(QuantizeWeight, NearestRoundsTiesToEven) {
  const QParams params{QType::kInt8, -1, {1.0F}, {}};
  EXPECT_EQ(integers(quantize_weight(floats({5}, {0.5F, 1.5F, -0.5F, -2.5F, 2.4F}), params, Rounding::kNearest)),
            (std::vector<int>{0, 2, 0, -2, 2}));
}

TEST(QuantizeWeight, PreserveSumMovesTheWeightsNearestToTheMiddle) {
  const QParams params{QType::kInt8, -1, {1.0F}, {}};
  // Sums to 0; nearest gives 3 - 1 - 1 - 1 + 0 = 0: nothing moves.
  EXPECT_EQ(integers(quantize_weight(floats({4}, {3.0F, -1.1F, -0.9F, -1.0F}), params, Rounding::kPreserveSum)),
            (std::vector<int>{3, -1, -1, -1}));
  // Nearest gives 1 + 0 + 0 + 0 = 1 against a sum of 1.9 -> 2: 0.45 is nearest to the middle and goes up.
  EXPECT_EQ(integers(quantize_weight(floats({4}, {0.9F, 0.3F, 0.45F, 0.25F}), params, Rounding::kPreserveSum)),
            (std::vector<int>{1, 0, 1, 0}));
  // And down, for a filter whose weights sum to zero.
  EXPECT_EQ(integers(quantize_weight(floats({4}, {0.6F, 0.7F, 0.7F, -2.0F}), params, Rounding::kPreserveSum)),
            (std::vector<int>{0, 1, 1, -2}));
}

TEST(QuantizeWeight, PreserveSumNeverLeavesTheType) {
  const QParams params{QType::kInt8, 0, {1.0F, 1.0F}, {}};
  const Tensor q = quantize_weight(floats({2, 3}, {127.4F, 127.4F, 127.4F, -128.4F, -128.4F, -128.4F}), params,
                                   Rounding::kPreserveSum);
  EXPECT_EQ(integers(q), (std::vector<int>{127, 127, 127, -128, -128, -128}));
}

TEST(QuantizeWeight, PreserveSumKeepsEverySumAndMovesNoWeightByMoreThanAStep) {
  std::mt19937 random(3);
  std::normal_distribution<float> normal(0.0F, 0.1F);
  std::vector<float> values(16 * 3 * 9);
  for (float& v : values) v = normal(random);
  const Tensor weight = floats({16, 3, 3, 3}, values);
  const QParams params = weight_qparams(weight, 0, QType::kInt8);
  const Tensor q = quantize_weight(weight, params, Rounding::kPreserveSum);
  for (size_t c = 0; c < 16; ++c) {
    double exact = 0;
    int sum = 0;
    for (size_t i = c * 27; i < (c + 1) * 27; ++i) {
      exact += static_cast<double>(values[i]) / params.scale[c];
      sum += q.data<int8_t>()[i];
      EXPECT_LT(std::fabs(values[i] / params.scale[c] - q.data<int8_t>()[i]), 1.0F);
    }
    EXPECT_LE(std::fabs(exact - sum), 0.5 + 1e-6);
  }
}

TEST(QuantizeWeight, EcJoinsToTheWeightWithinHalfAFineStep) {
  const Tensor weight = floats({2, 2}, {1.0F, -0.3F, 0.001F, 0.5F});
  const QParams params = weight_qparams(weight, 0, QType::kEc);
  const EcDigits digits = quantize_to_digits(weight, params);
  for (size_t i = 0; i < 4; ++i) {
    const float s1 = params.scale[i / 2];
    const float value = s1 * digits.first.data<int8_t>()[i] + s1 / 254.0F * digits.second.data<int8_t>()[i];
    EXPECT_NEAR(value, weight.data<float>()[i], 0.51F * s1 / 254.0F);
  }
}

}  // namespace
}  // namespace twofold
