#include "numeric/quantize_channels.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <functional>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include "base/cancellation.h"
#include "base/parallel_for.h"
#include "numeric/for_each_target.h"
#include "twofold/error.h"

namespace twofold {
namespace {

// Rules 1 and 3 of docs/numerics.md as they read, for one number.
struct Rounded {
  int q;
  bool inside;
};

Rounded rounded(float x, float scale, int zero_point, int low, int high) {
  if (std::isnan(x)) return {std::clamp(zero_point, low, high), false};
  const double q = static_cast<double>(std::nearbyint(x / scale)) + zero_point;
  return {static_cast<int>(std::clamp(q, static_cast<double>(low), static_cast<double>(high))), low <= q && q <= high};
}

struct Ec {
  int q1, q2;
  bool inside;
};

Ec ec_rounded(float x, float s1) {
  const int q1 = rounded(x, s1, 0, -128, 127).q;
  const Rounded second = rounded(x - static_cast<float>(q1) * s1, s1 / 254.0F, 0, -128, 127);
  return {q1, second.q, second.inside};
}

// Arrays that take every way through the loops: one scale; single elements, short and long runs of a channel; more than
// one thread; and, among the scales, those that are too small for a reciprocal.
struct Case {
  Shape shape;
  int axis;
  bool with_zeros = false;
};

const std::vector<Case> kCases = {
    {{0}, -1},
    {{2, 0, 3}, 1},
    {{7}, -1, true},
    {{301}, 0, true},
    {{5, 37}, 1},
    {{5, 37}, 1, true},
    {{6, 4, 9}, 1, true},
    {{3, 2, 100}, 1},
    {{2, 3, 211}, 1, true},
    {{70000}, -1},
    {{300, 257}, 1, true},
    {{2, 9, 63, 64}, 1},
    {{4, 1, 5}, 1, true},
};

struct Data {
  std::vector<float> scale, x;
  std::vector<int32_t> zero_point;
  ChannelScales scales;

  static std::vector<float> random_scales(const Case& c, std::mt19937& random) {
    std::vector<float> scale(c.axis < 0 ? 1 : static_cast<size_t>(c.shape[static_cast<size_t>(c.axis)]));
    std::uniform_real_distribution<float> exponent(-6, 1);
    for (float& s : scale) s = std::exp2(exponent(random));
    if (scale.size() > 3) scale[2] = 1e-25F;
    return scale;
  }

  static std::vector<int32_t> random_zeros(const Case& c, size_t count, int low, int high, std::mt19937& random) {
    std::vector<int32_t> zeros(c.with_zeros ? count : 0);
    for (int32_t& z : zeros) z = std::uniform_int_distribution<int32_t>(low, high)(random);
    return zeros;
  }

  // Numbers in and around the range of [low, high], ties, infinities and NaN.
  Data(const Case& c, int low, int high, unsigned seed, std::mt19937 random = std::mt19937())
      : scale((random.seed(seed), random_scales(c, random))),
        x(static_cast<size_t>(num_elements(c.shape))),
        zero_point(random_zeros(c, scale.size(), low, high, random)),
        scales(c.shape, c.axis, scale, zero_point) {
    const int span = high - low;
    std::uniform_int_distribution<int> halves(2 * low - span, 2 * high + span);
    std::uniform_real_distribution<float> fraction(-0.5F, 0.5F);
    for (size_t i = 0; i < x.size(); ++i) {
      const float steps = 0.5F * static_cast<float>(halves(random)) + (i % 2 == 0 ? fraction(random) : 0.0F);
      x[i] = steps * scale[channel(i)];
      if (i % 97 == 13) x[i] = NAN;
      if (i % 97 == 50) x[i] = i % 2 == 0 ? HUGE_VALF : -HUGE_VALF;
    }
  }

  size_t channel(size_t i) const { return i / static_cast<size_t>(scales.inner) % scale.size(); }
  int zero(size_t i) const { return zero_point.empty() ? 0 : zero_point[channel(i)]; }
};

template <typename Body>
void for_each_case(int low, int high, const Body& body) {
  testing::for_each_target([&](const char* target) {
    for (const int threads : {1, 2}) {
      const ThreadScope scope(threads);
      for (size_t i = 0; i < kCases.size(); ++i) {
        SCOPED_TRACE(std::string(target) + " case " + std::to_string(i));
        body(Data(kCases[i], low, high, static_cast<unsigned>(i)));
      }
    }
  });
}

template <typename T>
void expect_definition() {
  constexpr int kLow = std::numeric_limits<T>::min(), kHigh = std::numeric_limits<T>::max();
  for_each_case(kLow, kHigh, [&](const Data& data) {
    std::vector<T> q(data.x.size());
    quantize<T>(data.x, data.scales, q);
    std::vector<float> back(q.size());
    dequantize<T>(q, data.scales, back);
    for (size_t i = 0; i < q.size(); ++i) {
      const float scale = data.scale[data.channel(i)];
      ASSERT_EQ(q[i], rounded(data.x[i], scale, data.zero(i), kLow, kHigh).q) << data.x[i] << " in " << scale;
      ASSERT_EQ(back[i], static_cast<float>(q[i] - data.zero(i)) * scale);
    }
  });
}

TEST(QuantizeChannels, EqualsItsDefinitionOnEveryTarget) {
  expect_definition<int8_t>();
  expect_definition<uint8_t>();
  expect_definition<int16_t>();
  expect_definition<uint16_t>();
}

TEST(QuantizeChannels, DequantizesBiasesPerChannel) {
  const std::vector<float> scale = {0.5F, 2.0F};
  const std::vector<int32_t> q = {1 << 24, -3, 5, -(1 << 30)};
  std::vector<float> x(4);
  dequantize<int32_t>(q, ChannelScales({2, 2}, 1, scale, {}), x);
  EXPECT_EQ(x, (std::vector<float>{8388608.0F, -6.0F, 2.5F, -2147483648.0F}));
}

TEST(QuantizeChannels, EcEqualsItsDefinitionOnEveryTarget) {
  for_each_case(-128, 127, [&](const Data& data) {
    if (!data.zero_point.empty()) return;
    std::vector<int8_t> q1(data.x.size()), q2(data.x.size());
    std::vector<int16_t> v(data.x.size());
    ec_quantize(data.x, data.scales, q1, q2);
    ec_quantize(data.x, data.scales, v);
    for (size_t i = 0; i < v.size(); ++i) {
      const Ec expected = ec_rounded(data.x[i], data.scale[data.channel(i)]);
      ASSERT_EQ(q1[i], expected.q1) << data.x[i];
      ASSERT_EQ(q2[i], expected.q2) << data.x[i];
      ASSERT_EQ(v[i], 254 * expected.q1 + expected.q2);
    }
  });
}

void expect_fake(QType qtype) {
  const bool ec = qtype == QType::kEc;
  const int low = ec ? -128 : qmin(qtype), high = ec ? 127 : qmax(qtype);
  for_each_case(low, high, [&](const Data& data) {
    if (ec && !data.zero_point.empty()) return;
    std::vector<float> y(data.x.size()), in_place = data.x;
    std::vector<uint8_t> inside(data.x.size(), 7);
    fake_quantize(data.x, qtype, data.scales, y, inside);
    fake_quantize(in_place, qtype, data.scales, in_place);
    for (size_t i = 0; i < y.size(); ++i) {
      const float scale = data.scale[data.channel(i)];
      if (ec) {
        const Ec expected = ec_rounded(data.x[i], scale);
        ASSERT_EQ(y[i], static_cast<float>(254 * expected.q1 + expected.q2) * (scale / 254.0F)) << data.x[i];
        ASSERT_EQ(inside[i], expected.inside) << data.x[i] << " in " << scale;
      } else {
        const Rounded expected = rounded(data.x[i], scale, data.zero(i), low, high);
        ASSERT_EQ(y[i], static_cast<float>(expected.q - data.zero(i)) * scale) << data.x[i];
        ASSERT_EQ(inside[i], expected.inside) << data.x[i] << " in " << scale;
      }
      ASSERT_EQ(in_place[i], y[i]);
    }
  });
}

TEST(FakeQuantize, EqualsItsDefinitionOnEveryTarget) {
  expect_fake(QType::kInt8);
  expect_fake(QType::kInt16);
  expect_fake(QType::kEc);
}

TEST(FakeQuantize, MasksWhatIsClipped) {
  const std::vector<float> scale = {0.5F, 1.0F};
  const std::vector<int32_t> zero_point = {0, -28};
  // The tie 127.5 goes to 128, out of the type; -128.5 to -128, inside. With zero point -28 the range is [-100, 155].
  const std::vector<float> x = {63.5F, 155.0F, 63.75F, 155.5F, -64.25F, -100.5F, -64.5F, -101.0F, NAN, NAN};
  std::vector<float> y(x.size());
  std::vector<uint8_t> inside(x.size());
  fake_quantize(x, QType::kInt8, ChannelScales({5, 2}, 1, scale, zero_point), y, inside);
  EXPECT_EQ(y, (std::vector<float>{63.5F, 155.0F, 63.5F, 155.0F, -64.0F, -100.0F, -64.0F, -100.0F, 0.0F, 0.0F}));
  EXPECT_EQ(inside, (std::vector<uint8_t>{1, 1, 0, 0, 1, 1, 0, 0, 0, 0}));
}

TEST(FakeQuantize, MasksWhatEcClips) {
  const float s1 = 254.0F;  // steps of 1; the joined digits reach from -32640 to 32385
  const std::vector<float> x = {32385.0F, 32385.75F, 127.0F, -32640.0F, -32641.0F, 40000.0F};
  std::vector<float> y(x.size());
  std::vector<uint8_t> inside(x.size());
  fake_quantize(x, QType::kEc, ChannelScales({6}, -1, {&s1, 1}, {}), y, inside);
  EXPECT_EQ(y, (std::vector<float>{32385.0F, 32385.0F, 127.0F, -32640.0F, -32640.0F, 32385.0F}));
  EXPECT_EQ(inside, (std::vector<uint8_t>{1, 0, 1, 1, 0, 0}));
}

TEST(QuantizeChannels, EndsWithTheJobThatItWorksFor) {
  const std::function<bool()> cancelled = [] { return true; };
  const CancellationScope scope(cancelled);
  const float scale = 1;
  std::vector<float> x(1 << 22);
  std::vector<int8_t> q(x.size());
  const ThreadScope one(1);
  quantize<int8_t>(x, ChannelScales({1 << 22}, -1, {&scale, 1}, {}), q);  // too little work to ask
  x.push_back(0);
  q.push_back(0);
  EXPECT_THROW(quantize<int8_t>(x, ChannelScales({(1 << 22) + 1}, -1, {&scale, 1}, {}), q), Error);
}

}  // namespace
}  // namespace twofold
