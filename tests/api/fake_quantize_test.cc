#include "twofold/fake_quantize.h"

#include <gtest/gtest.h>

#include <vector>

#include "base/message_of.h"

namespace twofold {
namespace {

using testing::message_of;

// Two channels of three numbers.
struct Arrays {
  std::vector<float> scale = {0.5F, 2.0F}, x = {0.7F, 9.0F, -9.0F, 3.0F, 4.5F, 5.0F}, gy = {1, 2, 3, 4, 5, 6};
  std::vector<float> y = std::vector<float>(6), gx = std::vector<float>(6), gs = std::vector<float>(2);
  std::vector<int32_t> zero_point;
  std::optional<FakeQuantization::Integers> integers = FakeQuantization::Integers{-8, 7};

  FakeQuantization how() const { return {1, 2, 3, scale, zero_point, integers}; }
  std::string refused() {
    return message_of([&] { fake_quantize(how(), x, y, 1); });
  }
};

TEST(FakeQuantizeArrays, ComputesForwardAndBackward) {
  Arrays a;
  a.zero_point = {0, 5};  // steps of channel 1 are from -13 to 2
  fake_quantize(a.how(), a.x, a.y, 1);
  EXPECT_EQ(a.y, (std::vector<float>{0.5F, 3.5F, -4.0F, 4.0F, 4.0F, 4.0F}));
  fake_quantize_backward(a.how(), a.gy, a.x, a.gx, 1);
  EXPECT_EQ(a.gx, (std::vector<float>{1, 0, 0, 4, 5, 6}));
  a.gx.assign(6, 0);
  fake_quantize_learned_backward(a.how(), a.gy, a.x, 0.5, a.gx, a.gs, 1);
  EXPECT_EQ(a.gx, (std::vector<float>{1, 0, 0, 4, 5, 6}));
  EXPECT_NEAR(a.gs[0], 0.5 * (1 * (1 - 1.4) + 2 * 7 + 3 * -8), 1e-6);
  EXPECT_EQ(a.gs[1], 0.5F * (4 * 0.5F + 5 * -0.25F + 6 * -0.5F));
}

TEST(FakeQuantizeArrays, ComputesEc) {
  Arrays a;
  a.integers.reset();
  a.scale = {0.5F, 0.02F};
  fake_quantize(a.how(), a.x, a.y, 1);
  EXPECT_EQ(a.y[0], (254 + 102) * (0.5F / 254));         // 0.2 left of 1.4 steps is 101.6 steps of 1 / 508
  EXPECT_EQ(a.y[4], (254 * 127 + 127) * (0.02F / 254));  // beyond 127.5 steps
  fake_quantize_backward(a.how(), a.gy, a.x, a.gx, 1);
  EXPECT_EQ(a.gx, (std::vector<float>{1, 2, 3, 0, 0, 0}));
}

TEST(FakeQuantizeArrays, SaysWhichScaleItCannotTake) {
  for (const float bad : {0.0F, -1.0F, std::numeric_limits<float>::quiet_NaN(), HUGE_VALF}) {
    Arrays a;
    a.scale[1] = bad;
    EXPECT_EQ(a.refused(), fmt::format("scale 1 is {}; scales are positive, finite numbers", bad));
  }
}

TEST(FakeQuantizeArrays, SaysWhichZeroPointIsOutOfRange) {
  Arrays a;
  a.zero_point = {7, 8};
  EXPECT_EQ(a.refused(), "zero point 1 is 8; the integers are those from -8 to 7");
  a.integers.reset();
  EXPECT_EQ(a.refused(), "ec has no zero points");
}

TEST(FakeQuantizeArrays, RefusesRangesThatItCannotComputeWith) {
  Arrays a;
  a.integers = {1, 7};
  EXPECT_EQ(a.refused(), "integers from 1 to 7: a range holds 0 and is within -65536 and 65536");
  a.integers = {-8, 65537};
  EXPECT_EQ(a.refused(), "integers from -8 to 65537: a range holds 0 and is within -65536 and 65536");
}

TEST(FakeQuantizeArrays, RefusesSizesThatDoNotFit) {
  Arrays a;
  a.scale.pop_back();
  EXPECT_EQ(a.refused(), "scale has 1 elements, and not 2");
  a = {};
  a.y.pop_back();
  EXPECT_EQ(a.refused(), "y has 5 elements, and not 6");
  a = {};
  a.gs.pop_back();
  EXPECT_EQ(message_of([&] { fake_quantize_learned_backward(a.how(), a.gy, a.x, 1, a.gx, a.gs, 1); }),
            "scale_gradient has 1 elements, and not 2");
  a = {};
  a.integers.reset();
  EXPECT_EQ(message_of([&] { fake_quantize_learned_backward(a.how(), a.gy, a.x, 1, a.gx, a.gs, 1); }),
            "scales of ec are not learned");
}

}  // namespace
}  // namespace twofold
