#include "numeric/metrics.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>
#include <vector>

namespace twofold {
namespace {

double metric(Metric which, const std::vector<float>& a, const std::vector<float>& b) {
  ErrorSums sums;
  sums.add(a, b);
  return sums.value(which);
}

TEST(Metrics, LiteralValues) {
  const std::vector<float> a = {3, 4, 0, -2}, b = {3, 2, 1, -2.5F};
  // a-b: 0, 2, -1, 0.5; a^2: 29; (a-b)^2: 5.25; b^2: 20.25; ab: 22
  EXPECT_DOUBLE_EQ(metric(Metric::kCosineSimilarity, a, b), 22.0 / std::sqrt(29.0 * 20.25));
  EXPECT_DOUBLE_EQ(metric(Metric::kMse, a, b), 1.3125);
  EXPECT_DOUBLE_EQ(metric(Metric::kMae, a, b), 0.875);
  EXPECT_DOUBLE_EQ(metric(Metric::kMre, a, b), (0.0 + 0.5 + 0.25) / 3);
  EXPECT_DOUBLE_EQ(metric(Metric::kSqnr, a, b), 10 * std::log10(29.0 / 5.25));
  EXPECT_DOUBLE_EQ(metric(Metric::kChebyshev, a, b), 2.0);
}

TEST(Metrics, ZerosAndEqualTensors) {
  const std::vector<float> zero = {0, 0}, one = {1, 0}, third = {1.1F, -0.3F, 7.7F}, none;
  for (const auto& x : {zero, one, third, none}) {
    EXPECT_EQ(metric(Metric::kCosineSimilarity, x, x), 1.0);
    EXPECT_EQ(metric(Metric::kMse, x, x), 0.0);
    EXPECT_EQ(metric(Metric::kMae, x, x), 0.0);
    EXPECT_EQ(metric(Metric::kMre, x, x), 0.0);
    EXPECT_EQ(metric(Metric::kSqnr, x, x), std::numeric_limits<double>::infinity());
    EXPECT_EQ(metric(Metric::kChebyshev, x, x), 0.0);
  }
  EXPECT_EQ(metric(Metric::kCosineSimilarity, zero, one), 0.0);
  EXPECT_EQ(metric(Metric::kSqnr, zero, one), -std::numeric_limits<double>::infinity());
  EXPECT_EQ(metric(Metric::kMre, zero, one), 0.0);
  EXPECT_DOUBLE_EQ(metric(Metric::kMre, {1e-20F}, {1e-12F}), (double{1e-12F} - double{1e-20F}) / 1e-12);
  EXPECT_DOUBLE_EQ(metric(Metric::kMse, {3e38F}, {-3e38F}), 4.0 * double{3e38F} * double{3e38F});
}

TEST(Metrics, AgreesWithALoop) {
  std::mt19937 random(1);
  std::normal_distribution<float> normal;
  for (size_t n : {1, 15, 16, 17, 1000, 4099}) {
    std::vector<float> a(n), b(n);
    double aa = 0, bb = 0, ab = 0, squared = 0, absolute = 0, relative = 0, largest = 0, nonzero = 0;
    for (size_t i = 0; i < n; ++i) {
      a[i] = i > 0 && random() % 5 == 0 ? 0.0F : normal(random);
      b[i] = a[i] + 0.1F * normal(random);
      const double x = a[i], y = b[i], d = std::fabs(x - y);
      aa += x * x, bb += y * y, ab += x * y, squared += d * d, absolute += d;
      largest = std::max(largest, d);
      if (x != 0) relative += d / std::max(std::fabs(x), 1e-12), ++nonzero;
    }
    const auto count = static_cast<double>(n);
    const auto near = [&](Metric which, double expected) {
      EXPECT_NEAR(metric(which, a, b), expected, 1e-12 * std::fabs(expected)) << to_string(which) << " " << n;
    };
    near(Metric::kCosineSimilarity, ab / std::sqrt(aa * bb));
    near(Metric::kMse, squared / count);
    near(Metric::kMae, absolute / count);
    near(Metric::kMre, relative / nonzero);
    near(Metric::kSqnr, 10 * std::log10(aa / squared));
    near(Metric::kChebyshev, largest);
  }
}

TEST(Metrics, NanAndInfinityAreNotHidden) {
  for (float bad : {NAN, INFINITY, -INFINITY}) {
    for (Metric which : kAllMetrics) {
      for (size_t at : {0, 20}) {
        std::vector<float> a(21, 1.0F), b(21, 2.0F);
        b[at] = bad;
        if (std::isnan(bad)) {
          EXPECT_TRUE(std::isnan(metric(which, a, b))) << to_string(which);
        }
        a[at] = bad;
        EXPECT_TRUE(std::isnan(metric(which, a, b))) << to_string(which);
      }
    }
  }
}

TEST(Metrics, PiecesOfASampleAddUp) {
  const std::vector<float> a = {1, 2, 3, 4}, b = {1, 1, 3, 6};
  const std::span<const float> sa(a), sb(b);
  ErrorSums pieces, rest;
  pieces.add(sa.first(1), sb.first(1));
  rest.add(sa.subspan(1), sb.subspan(1));
  pieces.merge(rest);
  for (Metric which : kAllMetrics) EXPECT_DOUBLE_EQ(pieces.value(which), metric(which, a, b)) << to_string(which);
}

TEST(Metrics, MeansAreOverSamples) {
  ErrorSums first, second;
  first.add(std::vector<float>{1, 1, 1, 1}, std::vector<float>{1, 1, 1, 3});  // mse 1
  second.add(std::vector<float>{2}, std::vector<float>{5});                   // mse 9
  MetricMeans means, more;
  EXPECT_TRUE(std::isnan(means.mean(Metric::kMse)));
  means.add(first);
  more.add(second);
  means.merge(more);
  EXPECT_EQ(means.num_samples(), 2u);
  EXPECT_EQ(means.mean(Metric::kMse), 5.0);
  EXPECT_EQ(means.mean(Metric::kChebyshev), 2.5);
}

TEST(Metrics, NamesAndBetter) {
  for (Metric which : kAllMetrics) EXPECT_EQ(parse_metric(to_string(which)), which);
  EXPECT_EQ(parse_metric("cosine"), std::nullopt);
  EXPECT_TRUE(better(Metric::kCosineSimilarity, 0.9, 0.8));
  EXPECT_TRUE(better(Metric::kSqnr, 20, -3));
  EXPECT_TRUE(better(Metric::kMse, 0.1, 0.2));
  EXPECT_FALSE(better(Metric::kMse, 0.2, 0.2));
  EXPECT_TRUE(better(Metric::kChebyshev, 1e9, NAN));
  EXPECT_FALSE(better(Metric::kSqnr, NAN, -1e9));
  EXPECT_FALSE(better(Metric::kMae, NAN, NAN));
}

}  // namespace
}  // namespace twofold
