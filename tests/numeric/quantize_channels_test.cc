#include "numeric/quantize_channels.h"

#include <gtest/gtest.h>

#include <functional>
#include <limits>
#include <vector>

#include "base/cancellation.h"
#include "base/parallel_for.h"
#include "numeric/channel_data.h"
#include "twofold/error.h"

namespace twofold {
namespace {

using testing::Data;
using testing::Ec;
using testing::ec_rounded;
using testing::for_each_case;
using testing::rounded;

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
