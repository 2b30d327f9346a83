#include "numeric/ec.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>
#include <vector>

#include "numeric/quantize_channels.h"

namespace twofold {
namespace {

struct Digits {
  int q1, q2, v;
  bool operator==(const Digits&) const = default;
};

Digits digits_of(float x, float s1) {
  int8_t q1 = 0, q2 = 0;
  int16_t v = 0;
  ec_quantize({&x, 1}, ChannelScales({1}, -1, {&s1, 1}, {}), {&q1, 1}, {&q2, 1});
  ec_join({&q1, 1}, {&q2, 1}, {&v, 1});
  return {q1, q2, v};
}

TEST(Ec, SplitsIntoValueAndResidual) {
  EXPECT_EQ(digits_of(0.0F, 254.0F), (Digits{0, 0, 0}));
  EXPECT_EQ(digits_of(254.0F, 254.0F), (Digits{1, 0, 254}));
  EXPECT_EQ(digits_of(-254.0F, 254.0F), (Digits{-1, 0, -254}));
  EXPECT_EQ(digits_of(100.0F, 254.0F), (Digits{0, 100, 100}));
  EXPECT_EQ(digits_of(-300.0F, 254.0F), (Digits{-1, -46, -300}));
  // The middle between two steps of q1: the tie goes to the even digit, the sum is the same either way.
  EXPECT_EQ(digits_of(127.0F, 254.0F), (Digits{0, 127, 127}));
  EXPECT_EQ(digits_of(381.0F, 254.0F), (Digits{2, -127, 381}));
}

TEST(Ec, SaturatesBothDigits) {
  EXPECT_EQ(digits_of(1e9F, 254.0F), (Digits{127, 127, 32385}));
  EXPECT_EQ(digits_of(-1e9F, 254.0F), (Digits{-128, -128, -32640}));
  EXPECT_EQ(digits_of(NAN, 254.0F), (Digits{0, 0, 0}));
}

TEST(Ec, IsWithinHalfAFineStepInsideTheThreshold) {
  std::mt19937 random(7);
  std::uniform_real_distribution<float> uniform(-3.0F, 3.0F);
  const float s1 = 3.0F / 127.0F, s2 = ec_residual_scale(s1);
  for (int i = 0; i < 100000; ++i) {
    const float x = uniform(random);
    // Half a step, and the rounding of x - s1 q1 and of s2 v in float32.
    const float bound = 0.5F * s2 + 0x1p-22F * std::fabs(x);
    EXPECT_LE(std::fabs(x - s2 * static_cast<float>(digits_of(x, s1).v)), bound) << x;
  }
}

TEST(Ec, SplitsEveryIntegerIntoDigitsThatJoinToIt) {
  std::vector<int16_t> v, joined;
  std::vector<float> x;
  for (int i = -32640; i <= 32385; ++i) {
    v.push_back(static_cast<int16_t>(i));
    x.push_back(static_cast<float>(i));
  }
  std::vector<int8_t> q1(v.size()), q2(v.size()), of_x1(v.size()), of_x2(v.size());
  ec_split(v, q1, q2);
  joined.resize(v.size());
  ec_join(q1, q2, joined);
  EXPECT_EQ(joined, v);
  const float s1 = 254.0F;
  ec_quantize(x, ChannelScales({std::ssize(x)}, -1, {&s1, 1}, {}), of_x1, of_x2);
  EXPECT_EQ(q1, of_x1);
  EXPECT_EQ(q2, of_x2);
}

}  // namespace
}  // namespace twofold
