#include "numeric/qparams.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace twofold {
namespace {

constexpr float kLargest = std::numeric_limits<float>::max();

TEST(QParams, SymmetricScales) {
  EXPECT_EQ(symmetric_scale(0, QType::kInt8), 1.0F);
  EXPECT_EQ(symmetric_scale(2.54F, QType::kInt8), 2.54F / 127);
  EXPECT_EQ(symmetric_scale(2.54F, QType::kInt16), 2.54F / 32767);
  EXPECT_EQ(symmetric_scale(1e-40F, QType::kInt8), std::numeric_limits<float>::min());
}

// The mask of attention: finfo(float32).min. FLT_MAX / 127 is rounded up, and 127 times that is infinity.
TEST(QParams, EveryIntegerOfALargeScaleIsFinite) {
  ASSERT_TRUE(std::isinf(kLargest / 127 * 127));
  for (const float threshold : {kLargest, kLargest * 0.9999F, kLargest * 0.995F, kLargest * 0.9F}) {
    EXPECT_TRUE(std::isfinite(-128 * symmetric_scale(threshold, QType::kInt8))) << threshold;
    EXPECT_TRUE(std::isfinite(-32768 * symmetric_scale(threshold, QType::kInt16))) << threshold;
    EXPECT_TRUE(std::isfinite(-128 * symmetric_scale(threshold, QType::kEc))) << threshold;
  }
  EXPECT_EQ(symmetric_scale(kLargest, QType::kInt8), kLargest / 128);
  EXPECT_EQ(symmetric_scale(kLargest * 0.9F, QType::kInt8), kLargest * 0.9F / 127) << "nothing to change";
}

TEST(QParams, EveryIntegerOfALargeAsymmetricRangeIsFinite) {
  for (const auto& [min, max] : {std::pair(-kLargest, kLargest),
                                 {0.0F, kLargest},
                                 {-kLargest, 0.0F},
                                 {-kLargest, 1.0F},
                                 {-kLargest, kLargest / 3}}) {
    for (const QType qtype : {QType::kInt8, QType::kInt16}) {
      const QParams params = asymmetric_qparams(min, max, qtype);
      for (const int32_t q : {qmin(qtype), qmax(qtype)}) {
        EXPECT_TRUE(std::isfinite(static_cast<float>(q - params.zero_point[0]) * params.scale[0]))
            << min << ", " << max;
      }
    }
  }
  const QParams usual = asymmetric_qparams(-1, 3, QType::kInt8);
  EXPECT_EQ(usual.scale[0], 4.0F / 255);
  EXPECT_EQ(usual.zero_point[0], -64);
}

}  // namespace
}  // namespace twofold
