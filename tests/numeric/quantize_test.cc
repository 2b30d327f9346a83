#include "numeric/quantize.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <limits>
#include <random>
#include <vector>

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

}  // namespace
}  // namespace twofold
