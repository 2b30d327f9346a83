#include "numeric/quantize.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <random>
#include <vector>

#include "numeric/for_each_target.h"

namespace twofold {
namespace {

TEST(RoundHalfEven, TiesGoToEven) {
  EXPECT_EQ(round_half_even(0.5F), 0.0F);
  EXPECT_EQ(round_half_even(1.5F), 2.0F);
  EXPECT_EQ(round_half_even(2.5F), 2.0F);
  EXPECT_EQ(round_half_even(-0.5F), 0.0F);
  EXPECT_EQ(round_half_even(-1.5F), -2.0F);
  EXPECT_EQ(round_half_even(-2.5F), -2.0F);
  EXPECT_EQ(round_half_even(8388609.0F), 8388609.0F);
  EXPECT_EQ(round_half_even(2.5), 2.0);
  EXPECT_EQ(round_half_even(-3.5), -4.0);
}

TEST(RoundHalfEven, AgreesWithTheStandardLibrary) {
  std::mt19937 random(1);
  for (int i = 0; i < 100000; ++i) {
    float x;
    const uint32_t bits = random();
    std::memcpy(&x, &bits, sizeof(x));
    if (std::isfinite(x)) {
      EXPECT_EQ(round_half_even(x), std::nearbyint(x)) << x;
    }
  }
}

TEST(Quantize, SaturatesAndMapsNanToZeroPoint) {
  const std::vector<float> x = {1e30F, -1e30F, std::numeric_limits<float>::infinity(), NAN, 63.5F, -64.5F};
  std::vector<int8_t> q(x.size());
  quantize<int8_t>(x, 0.5F, 3, q);
  EXPECT_EQ(q, (std::vector<int8_t>{127, -128, 127, 3, 127, -126}));
  std::vector<uint16_t> wide(x.size());
  quantize<uint16_t>(x, 1.0F, 32768, wide);
  EXPECT_EQ(wide, (std::vector<uint16_t>{65535, 0, 65535, 32768, 32832, 32704}));
}

// Rule 1 of docs/numerics.md as it reads.
template <typename T>
T quantized(float x, float scale, int32_t zero_point) {
  if (std::isnan(x)) return static_cast<T>(zero_point);
  const double q = static_cast<double>(std::nearbyint(x / scale)) + zero_point;
  return static_cast<T>(std::clamp(q, static_cast<double>(std::numeric_limits<T>::min()),
                                   static_cast<double>(std::numeric_limits<T>::max())));
}

template <typename T>
void expect_definition(int32_t zero_point) {
  std::mt19937 random(2);
  std::vector<float> scales = {1.0F, 0.5F, 0.37F, 3e-5F, 1e30F, 1e-30F, 1e-42F, std::nextafter(1.0F, 0.0F)};
  std::uniform_real_distribution<float> mantissa(1, 2);
  for (int i = 0; i < 20; ++i) scales.push_back(std::ldexp(mantissa(random), static_cast<int>(random() % 30) - 20));
  for (const float scale : scales) {
    std::vector<float> x;
    for (int i = 0; i < 4001; ++i) {
      // Ties, values around them, and any bits at all.
      const int halves = static_cast<int>(random() % (i % 2 == 0 ? 1101 : 270001));
      const float step = scale * (0.5F * static_cast<float>(halves - (i % 2 == 0 ? 550 : 135000)));
      float up = step, down = step;
      for (int ulp = 0; ulp < 4; ++ulp) {
        x.insert(x.end(), {up, down});
        up = std::nextafter(up, std::numeric_limits<float>::infinity());
        down = std::nextafter(down, -std::numeric_limits<float>::infinity());
      }
      uint32_t bits = random();
      float any;
      std::memcpy(&any, &bits, sizeof(any));
      x.push_back(any);
    }
    std::vector<T> q(x.size());
    quantize<T>(x, scale, zero_point, q);
    for (size_t i = 0; i < x.size(); ++i) {
      ASSERT_EQ(q[i], quantized<T>(x[i], scale, zero_point)) << x[i] << " scale " << scale << " zero " << zero_point;
    }
  }
}

TEST(Quantize, EqualsItsDefinitionOnEveryTarget) {
  testing::for_each_target([](const char* target) {
    SCOPED_TRACE(target);
    for (const int32_t zero_point : {0, -128, 127, 5}) expect_definition<int8_t>(zero_point);
    for (const int32_t zero_point : {0, 128, 255}) expect_definition<uint8_t>(zero_point);
    for (const int32_t zero_point : {0, -32768, 77}) expect_definition<int16_t>(zero_point);
    for (const int32_t zero_point : {0, 32768, 65535}) expect_definition<uint16_t>(zero_point);
  });
}

}  // namespace
}  // namespace twofold
