#include "calibrate/range_search.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <vector>

#include "calibrate/weight_scales.h"
#include "numeric/qparams.h"
#include "twofold/error.h"

namespace twofold {
namespace {

RangeStatistics observed(const std::vector<float>& values) {
  RangeStatistics statistics(ObserveLevel::kHistogram);
  statistics.observe(Tensor::from<float>({static_cast<int64_t>(values.size())}, values));
  return statistics;
}

float threshold(const std::vector<float>& values, RangeOptions options, QType qtype = QType::kInt8) {
  return search_threshold(observed(values), options, qtype);
}

RangeOptions percentile(double share) { return {.method = RangeMethod::kPercentile, .percentile = share}; }

// 0, 1/n, ..., (n - 1)/n
std::vector<float> ramp(int n) {
  std::vector<float> values;
  for (int i = 0; i < n; ++i) values.push_back(static_cast<float>(i) / static_cast<float>(n));
  return values;
}

std::vector<float> normal_numbers(size_t n, uint32_t seed) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal;
  std::vector<float> values(n);
  for (float& v : values) v = normal(random);
  return values;
}

double numpy_quantile(std::vector<float> values, double q) {
  std::ranges::sort(values);
  const double rank = q * static_cast<double>(values.size() - 1);
  const auto low = static_cast<size_t>(rank);
  const size_t high = std::min(low + 1, values.size() - 1);
  return values[low] + (rank - static_cast<double>(low)) * (static_cast<double>(values[high]) - values[low]);
}

// Mean squared error of symmetric quantization, straight from the definition.
double quantization_error(const std::vector<float>& values, double threshold, double steps) {
  double sum = 0;
  for (float v : values) {
    const double q = std::clamp(std::nearbyint(v / (threshold / steps)), -steps, steps) * (threshold / steps);
    sum += (v - q) * (v - q);
  }
  return sum / static_cast<double>(values.size());
}

const RangeMethod kAllMethods[] = {RangeMethod::kMax, RangeMethod::kPercentile, RangeMethod::kKl, RangeMethod::kMse};

TEST(RangeSearch, MaxIsTheLargestMagnitude) {
  EXPECT_EQ(threshold({1, -3, 2}, {}), 3.0F);
  const Range range = search_range(observed({1, -3, 2}), {}, QType::kInt8);
  EXPECT_EQ(range.min, -3.0F);
  EXPECT_EQ(range.max, 2.0F);
}

TEST(RangeSearch, PercentileOfARamp) {
  const std::vector<float> values = ramp(4096);  // bins of 2^-13: each number in a bin of its own
  EXPECT_NEAR(threshold(values, percentile(0.5)), 0.5, 1.0 / 4096);
  EXPECT_NEAR(threshold(values, percentile(0.99)), 0.99, 1.0 / 4096);
  EXPECT_EQ(threshold(values, percentile(1.0)), 4095.0F / 4096.0F);
}

TEST(RangeSearch, PercentileLiesBetweenDistantNumbersAsInNumpy) {
  // 11 numbers, rank 0.95 * 10 = 9.5: halfway between 1 and 101.
  const std::vector<float> values = {1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 101};
  EXPECT_NEAR(threshold(values, percentile(0.95)), 51.0, 128.0 / 8192);
}

TEST(RangeSearch, PercentileAgreesWithNumpyWithinABin) {
  std::vector<float> values = normal_numbers(20001, 1);
  values[7] = 40.0F;
  values[8] = -90.0F;
  const RangeStatistics statistics = observed(values);
  const double width = statistics.histogram().bin_width();
  std::vector<float> magnitudes;
  for (float v : values) magnitudes.push_back(std::fabs(v));
  for (double share : {0.5, 0.75, 0.9, 0.99, 0.999, 0.9999, 0.99999}) {
    EXPECT_NEAR(search_threshold(statistics, percentile(share), QType::kInt8), numpy_quantile(magnitudes, share), width)
        << share;
    const Range range = search_range(statistics, percentile(share), QType::kInt8);
    EXPECT_NEAR(range.min, numpy_quantile(values, (1 - share) / 2), width) << share;
    EXPECT_NEAR(range.max, numpy_quantile(values, 1 - (1 - share) / 2), width) << share;
  }
}

TEST(RangeSearch, AUniformDistributionIsKeptWhole) {
  std::vector<float> values = ramp(1 << 16);
  for (RangeMethod method : kAllMethods) {
    EXPECT_NEAR(threshold(values, {.method = method}), 1.0, 0.01) << to_string(method);
  }
}

TEST(RangeSearch, OneOutlierIsCutOff) {
  std::vector<float> values = normal_numbers(100000, 2);
  values[500] = 300.0F;
  const float kl = threshold(values, {.method = RangeMethod::kKl});
  EXPECT_GT(kl, 2.0F);
  EXPECT_LT(kl, 12.0F);
  const float mse = threshold(values, {.method = RangeMethod::kMse});
  EXPECT_GT(mse, 30.0F);
  EXPECT_LT(mse, 299.0F);
  EXPECT_EQ(threshold(values, {}), 300.0F);
}

TEST(RangeSearch, KlKeepsTheShapeOfANormalDistribution) {
  // Published results for int8 and a normal distribution lie around 3 to 4.5 standard deviations.
  const float found = threshold(normal_numbers(1 << 20, 3), {.method = RangeMethod::kKl});
  EXPECT_GT(found, 2.5F);
  EXPECT_LT(found, 5.0F);
}

TEST(RangeSearch, KlDoesNotLetZerosDecide) {
  std::vector<float> values = normal_numbers(1 << 18, 4);
  const float without = threshold(values, {.method = RangeMethod::kKl});
  values.resize(values.size() * 4, 0.0F);
  EXPECT_NEAR(threshold(values, {.method = RangeMethod::kKl}), without, 0.3);
}

TEST(RangeSearch, MseIsNoWorseThanAnyThresholdTriedOnTheNumbersThemselves) {
  std::mt19937 random(5);
  std::vector<float> values = normal_numbers(20000, 6);
  for (float& v : values) v = v * v * v;  // heavy tails
  const double found = threshold(values, {.method = RangeMethod::kMse});
  const double error = quantization_error(values, found, 127);
  double largest = 0;
  for (float v : values) largest = std::max<double>(largest, std::fabs(v));
  for (int i = 1; i <= 400; ++i) {
    EXPECT_LE(error, quantization_error(values, largest * i / 400, 127) * 1.01) << largest * i / 400 << " " << found;
  }
  EXPECT_LT(error, quantization_error(values, largest, 127) * 0.97);
}

TEST(RangeSearch, SixteenBitOperandsKeepMore) {
  std::vector<float> values = normal_numbers(50000, 7);
  values[0] = 30.0F;
  for (QType qtype : {QType::kInt16, QType::kEc}) {
    EXPECT_EQ(threshold(values, {.method = RangeMethod::kKl}, qtype), 30.0F);
    EXPECT_EQ(threshold(values, {.method = RangeMethod::kMse}, qtype), 30.0F);
  }
  EXPECT_LT(threshold(values, {.method = RangeMethod::kKl}), 30.0F);
}

TEST(RangeSearch, AsymmetricRangesOfOneSidedNumbers) {
  std::vector<float> values = ramp(10000);
  for (RangeMethod method : kAllMethods) {
    const Range range = search_range(observed(values), {.method = method}, QType::kInt8);
    EXPECT_EQ(range.min, 0.0F) << to_string(method);
    EXPECT_NEAR(range.max, 1.0F, 0.01) << to_string(method);
  }
}

TEST(RangeSearch, DegenerateNumbers) {
  const RangeOptions all[] = {{},
                              percentile(0.9),
                              {.method = RangeMethod::kKl},
                              {.method = RangeMethod::kMse},
                              {.method = RangeMethod::kKl, .num_bin = 129, .max_num_bin = 258}};
  for (const RangeOptions& options : all) {
    for (QType qtype : {QType::kInt8, QType::kInt16, QType::kEc}) {
      SCOPED_TRACE(to_string(options.method));
      EXPECT_EQ(threshold({}, options, qtype), 0.0F);
      EXPECT_EQ(threshold({0, 0, 0}, options, qtype), 0.0F);
      EXPECT_NEAR(threshold({2.5F}, options, qtype), 2.5F, 0.01);
      EXPECT_NEAR(threshold({-2.5F, -2.5F}, options, qtype), 2.5F, 0.01);
      EXPECT_NEAR(threshold({3e38F, -3e38F, 3e38F}, options, qtype), 3e38F, 2e35F);
      const float denormal = threshold({1e-40F, 1e-40F}, options, qtype);
      EXPECT_GT(denormal, 0.0F);
      EXPECT_LE(denormal, 1e-40F);
      EXPECT_NEAR(threshold(std::vector<float>(5000, -1.0F), options, qtype), 1.0F, 0.001);
      const Range range = search_range(observed({-4, -3, -2}), options, qtype == QType::kEc ? QType::kInt16 : qtype);
      EXPECT_LE(range.max, -2.0F);
      EXPECT_GE(range.min, -4.0F);
    }
  }
}

TEST(RangeSearch, RefusesOptionsOutOfRange) {
  EXPECT_THROW(threshold({1}, percentile(0.4)), Error);
  EXPECT_THROW(threshold({1}, percentile(1.1)), Error);
  EXPECT_THROW(threshold({1}, percentile(NAN)), Error);
  EXPECT_THROW(threshold({1}, {.method = RangeMethod::kKl, .num_bin = 128}), Error);
  EXPECT_THROW(threshold({1}, {.method = RangeMethod::kKl, .max_num_bin = 257}), Error);
  EXPECT_EQ(parse_range_method("kl"), RangeMethod::kKl);
  EXPECT_EQ(parse_range_method("entropy"), std::nullopt);
}

TEST(WeightScales, PerChannelOfAnyAxisAndPerTensor) {
  // [2,3]
  const std::vector<float> values = {1, -2, 0, -12.7F, 0.5F, 0};
  const Tensor weights = Tensor::from<float>({2, 3}, values);
  EXPECT_EQ(weight_scales(weights, 0, QType::kInt8), (std::vector<float>{2.0F / 127.0F, 12.7F / 127.0F}));
  EXPECT_EQ(weight_scales(weights, 1, QType::kInt8), (std::vector<float>{12.7F / 127.0F, 2.0F / 127.0F, 1.0F}));
  EXPECT_EQ(weight_scales(weights, -1, QType::kInt16), (std::vector<float>{12.7F / 32767.0F}));
  EXPECT_EQ(weight_scales(Tensor(DType::kFloat32, {2, 0}), 0, QType::kInt8), (std::vector<float>{1.0F, 1.0F}));
  EXPECT_TRUE(weight_scales(Tensor(DType::kFloat32, {0, 2}), 0, QType::kInt8).empty());
  EXPECT_THROW(weight_scales(Tensor::scalar(NAN), -1, QType::kInt8), Error);
}

}  // namespace
}  // namespace twofold
