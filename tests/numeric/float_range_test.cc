#include "numeric/float_range.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>
#include <vector>

namespace twofold {
namespace {

TEST(FloatRange, AgreesWithALoop) {
  std::mt19937 random(1);
  std::normal_distribution<float> normal;
  for (size_t n : {1, 7, 16, 33, 1000}) {
    std::vector<float> x(n);
    for (float& v : x) v = normal(random);
    float low = x[0], high = x[0];
    for (float v : x) {
      low = std::min(low, v);
      high = std::max(high, v);
    }
    const FloatRange range = float_range(x);
    EXPECT_EQ(range.min, low);
    EXPECT_EQ(range.max, high);
    EXPECT_TRUE(range.finite);
  }
}

TEST(FloatRange, OrdersZerosBySign) {
  for (const std::vector<float>& x : {std::vector<float>{0.0F, -0.0F}, std::vector<float>{-0.0F, 0.0F}}) {
    EXPECT_TRUE(std::signbit(float_range(x).min));
    EXPECT_FALSE(std::signbit(float_range(x).max));
  }
}

TEST(FloatRange, SeesEveryNanAndInfinity) {
  const float largest = std::numeric_limits<float>::max();
  EXPECT_TRUE(float_range(std::vector<float>{largest, -largest, std::numeric_limits<float>::denorm_min()}).finite);
  for (float bad : {NAN, -NAN, INFINITY, -INFINITY, std::numeric_limits<float>::signaling_NaN()}) {
    for (size_t at = 0; at < 67; ++at) {
      std::vector<float> x(67, 1.0F);
      x[at] = bad;
      EXPECT_FALSE(float_range(x).finite) << bad << " at " << at;
      std::vector<float> low(67, 0.0F), high(67, 0.0F);
      EXPECT_FALSE(widen_ranges(x, low, high)) << bad << " at " << at;
    }
  }
}

TEST(FloatRange, WidensEachRange) {
  const std::vector<float> x = {1, -2, 3, 0.5F};
  std::vector<float> low = {0, 0, 5, INFINITY}, high = {0, 0, 6, -INFINITY};
  EXPECT_TRUE(widen_ranges(x, low, high));
  EXPECT_EQ(low, (std::vector<float>{0, -2, 3, 0.5F}));
  EXPECT_EQ(high, (std::vector<float>{1, 0, 6, 0.5F}));
}

}  // namespace
}  // namespace twofold
