#include "numeric/fake_quantize.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include "numeric/channel_data.h"

namespace twofold {
namespace {

using testing::Data;
using testing::Ec;
using testing::ec_rounded;
using testing::for_each_case;
using testing::Rounded;
using testing::rounded;

constexpr IntegerRange kRanges[] = {{-128, 127}, {-32768, 32767}, {-8, 7}, {0, 255}};

// So that 0 and -0 differ, and NaN equals itself.
uint32_t bits(float v) { return std::bit_cast<uint32_t>(v); }

// Gradients, some of which are not numbers.
std::vector<float> random_gradients(size_t n) {
  std::mt19937 random(7);
  std::normal_distribution<float> normal;
  std::vector<float> gy(n);
  for (size_t i = 0; i < n; ++i) gy[i] = i % 101 == 5 ? NAN : normal(random);
  return gy;
}

TEST(FakeQuantize, EqualsItsDefinitionOnEveryTarget) {
  for (const IntegerRange range : kRanges) {
    for_each_case(range.low, range.high, [&](const Data& data) {
      const std::vector<float> gy = random_gradients(data.x.size());
      std::vector<float> y(data.x.size()), in_place = data.x, gx(data.x.size()), gx_in_place = gy;
      fake_quantize(data.x, range, data.scales, y);
      fake_quantize(in_place, range, data.scales, in_place);
      fake_quantize_backward(gy, data.x, range, data.scales, gx);
      fake_quantize_backward(gx_in_place, data.x, range, data.scales, gx_in_place);
      for (size_t i = 0; i < y.size(); ++i) {
        const float scale = data.scale[data.channel(i)];
        const Rounded expected = rounded(data.x[i], scale, data.zero(i), range.low, range.high);
        ASSERT_EQ(bits(y[i]), bits(static_cast<float>(expected.q - data.zero(i)) * scale)) << data.x[i];
        ASSERT_EQ(bits(gx[i]), bits(expected.inside ? gy[i] : 0)) << data.x[i] << " in " << scale;
        ASSERT_EQ(bits(in_place[i]), bits(y[i]));
        ASSERT_EQ(bits(gx_in_place[i]), bits(gx[i]));
      }
    });
  }
}

TEST(FakeQuantize, EcEqualsItsDefinitionOnEveryTarget) {
  for_each_case(-128, 127, [&](const Data& data) {
    if (!data.zero_point.empty()) return;
    const std::vector<float> gy = random_gradients(data.x.size());
    std::vector<float> y(data.x.size()), gx(data.x.size());
    fake_quantize_ec(data.x, data.scales, y);
    fake_quantize_ec_backward(gy, data.x, data.scales, gx);
    for (size_t i = 0; i < y.size(); ++i) {
      const float scale = data.scale[data.channel(i)];
      const Ec expected = ec_rounded(data.x[i], scale);
      ASSERT_EQ(bits(y[i]), bits(static_cast<float>(254 * expected.q1 + expected.q2) * (scale / 254.0F))) << data.x[i];
      ASSERT_EQ(bits(gx[i]), bits(expected.inside ? gy[i] : 0)) << data.x[i] << " in " << scale;
    }
  });
}

TEST(FakeQuantize, TakesTypesByName) {
  const float scale = 254.0F, x = 40000.0F;
  const auto of = [&](QType qtype) {
    float y = 0;
    fake_quantize({&x, 1}, qtype, ChannelScales({1}, -1, {&scale, 1}, {}), {&y, 1});
    return y;
  };
  EXPECT_EQ(of(QType::kInt8), 127 * 254.0F);
  EXPECT_EQ(of(QType::kInt16), 157 * 254.0F);
  EXPECT_EQ(of(QType::kEc), 32385.0F);
}

// Numbers within 2 units in the last place of each tie of 16 bits: where quotients that are not exact round wrongly.
std::vector<float> next_to_ties(float scale) {
  std::vector<float> x;
  for (int half = -65537; half <= 65537; half += 2) {
    auto v = static_cast<float>(0.5 * half * static_cast<double>(scale));
    for (int i = 0; i < 2; ++i) v = std::nextafter(v, -HUGE_VALF);
    for (int i = 0; i < 5; ++i, v = std::nextafter(v, HUGE_VALF)) x.push_back(v);
  }
  return x;
}

TEST(FakeQuantize, RoundsNextToTiesAsADivisionDoes) {
  using Limits = std::numeric_limits<float>;
  const float hardest[] = {std::nextafter(1.0F, 2.0F),
                           std::nextafter(2.0F, 1.0F),
                           1.0F / 3,
                           0.1F,
                           1.5F,
                           std::nextafter(0x1p-60F, 1.0F),
                           0x1p-60F,
                           std::nextafter(0x1p60F, 1.0F),
                           1e30F,
                           Limits::max(),
                           Limits::min(),
                           1e-40F,
                           Limits::denorm_min()};
  for (const float scale : hardest) {
    const std::vector<float> x = next_to_ties(scale), gy(x.size(), 1.0F);
    const ChannelScales scales({std::ssize(x)}, -1, {&scale, 1}, {});
    std::vector<float> y(x.size()), gx(x.size());
    testing::for_each_target([&](const char* target) {
      SCOPED_TRACE(target);
      fake_quantize(x, kRanges[1], scales, y);
      fake_quantize_backward(gy, x, kRanges[1], scales, gx);
      for (size_t i = 0; i < x.size(); ++i) {
        const Rounded expected = rounded(x[i], scale, 0, -32768, 32767);
        ASSERT_EQ(bits(y[i]), bits(static_cast<float>(expected.q) * scale)) << x[i] << " in " << scale;
        ASSERT_EQ(gx[i], expected.inside ? 1 : 0) << x[i] << " in " << scale;
      }
    });
  }
}

TEST(FakeQuantize, PassesGradientsWhereNothingIsClipped) {
  const std::vector<float> scale = {0.5F, 1.0F};
  const std::vector<int32_t> zero_point = {0, -28};
  // The tie 127.5 goes to 128, out of the type; -128.5 to -128, inside. With zero point -28 the range is [-100, 155].
  const std::vector<float> x = {63.5F, 155.0F, 63.75F, 155.5F, -64.25F, -100.5F, -64.5F, -101.0F, NAN, NAN};
  const std::vector<float> gy = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10};
  const ChannelScales scales({5, 2}, 1, scale, zero_point);
  std::vector<float> y(x.size()), gx(x.size());
  fake_quantize(x, kRanges[0], scales, y);
  fake_quantize_backward(gy, x, kRanges[0], scales, gx);
  EXPECT_EQ(y, (std::vector<float>{63.5F, 155.0F, 63.5F, 155.0F, -64.0F, -100.0F, -64.0F, -100.0F, 0.0F, 0.0F}));
  EXPECT_EQ(gx, (std::vector<float>{1, 2, 0, 0, 5, 6, 0, 0, 0, 0}));
}

TEST(FakeQuantize, EcPassesGradientsWhereNothingIsClipped) {
  const float s1 = 254.0F;  // steps of 1; the joined digits reach from -32640 to 32385
  const std::vector<float> x = {32385.0F, 32385.75F, 127.0F, -32640.0F, -32641.0F, 40000.0F};
  const std::vector<float> gy = {1, 2, 3, 4, 5, 6};
  const ChannelScales scales({6}, -1, {&s1, 1}, {});
  std::vector<float> y(x.size()), gx(x.size());
  fake_quantize_ec(x, scales, y);
  fake_quantize_ec_backward(gy, x, scales, gx);
  EXPECT_EQ(y, (std::vector<float>{32385.0F, 32385.0F, 127.0F, -32640.0F, -32640.0F, 32385.0F}));
  EXPECT_EQ(gx, (std::vector<float>{1, 0, 3, 4, 0, 0}));
}

TEST(FakeQuantize, EcClipsInfinitiesWhateverTheScale) {
  const float s1 = 3e38F;  // 127 s1 is infinite, and what is left of an infinity no number
  const std::vector<float> x = {HUGE_VALF, -HUGE_VALF, 1e38F}, gy = {1, 2, 3};
  std::vector<float> gx(3);
  fake_quantize_ec_backward(gy, x, ChannelScales({3}, -1, {&s1, 1}, {}), gx);
  EXPECT_EQ(gx, (std::vector<float>{0, 0, 3}));
}

TEST(LearnedScale, HasTheGradientDerivedByHand) {
  // Channel 0, steps of 0.5: 0.7 is 1.4 steps, so 1 - 1.4; 1.5 is 3 steps, so 0; 9 saturates at 7. Channel 1, steps of
  // 2, integers from -10 to 5 steps: -3 is the tie -1.5, so -2 + 1.5; 100 saturates at 5; -100 at -10.
  const std::vector<float> scale = {0.5F, 2.0F};
  const std::vector<int32_t> zero_point = {0, 2};
  const std::vector<float> x = {0.7F, 1.5F, 9.0F, NAN, -3.0F, 100.0F, -100.0F, NAN};
  const std::vector<float> gy = {10, 20, 30, 40, 1, 2, 3, 4};
  std::vector<float> gx(x.size());
  std::vector<double> gs(2, 99);
  fake_quantize_learned_backward(gy, x, {-8, 7}, ChannelScales({2, 4}, 0, scale, zero_point), gx, gs);
  EXPECT_EQ(gx, (std::vector<float>{10, 20, 0, 0, 1, 0, 0, 0}));
  EXPECT_NEAR(gs[0], 10 * (1 - 1.4) + 30 * 7, 1e-5);
  EXPECT_EQ(gs[1], 1 * -0.5 + 2 * 5 + 3 * -10);
}

TEST(LearnedScale, HasOneGradientOnEveryTargetAndAnyNumberOfThreads) {
  for (const IntegerRange range : kRanges) {
    std::vector<std::vector<double>> of_first_run;  // of each case
    size_t calls = 0;
    for_each_case(range.low, range.high, [&](const Data& data) {
      std::vector<float> gy = random_gradients(data.x.size()), gx(gy.size()), straight(gy.size());
      for (float& g : gy) g = std::isnan(g) ? 0.25F : g;
      std::vector<double> gs(data.scale.size()), expected(gs.size()), magnitude(gs.size());
      fake_quantize_learned_backward(gy, data.x, range, data.scales, gx, gs);
      fake_quantize_backward(gy, data.x, range, data.scales, straight);
      ASSERT_EQ(gx, straight);
      for (size_t i = 0; i < gy.size(); ++i) {
        const float x = data.x[i], scale = data.scale[data.channel(i)];
        const Rounded at = rounded(x, scale, data.zero(i), range.low, range.high);
        const auto q = static_cast<float>(at.q - data.zero(i));
        const float term = std::isnan(x) ? 0 : gy[i] * (at.inside ? q - x / scale : q);
        expected[data.channel(i)] += term;
        magnitude[data.channel(i)] += std::abs(term);
      }
      for (size_t c = 0; c < gs.size(); ++c) ASSERT_NEAR(gs[c], expected[c], 1e-13 * magnitude[c]) << c;
      if (calls < testing::kCases.size()) of_first_run.push_back(gs);
      ASSERT_EQ(gs, of_first_run[calls++ % testing::kCases.size()]);
    });
  }
}

}  // namespace
}  // namespace twofold
