#include "ops/digits.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

namespace twofold {
namespace {

template <typename T>
void expect_digits_rebuild_every_value(int32_t zero_point, int bits) {
  std::vector<T> values;
  for (int64_t v = std::numeric_limits<T>::min(); v <= std::numeric_limits<T>::max(); ++v) {
    values.push_back(static_cast<T>(v));
  }
  const Tensor q = Tensor::from<T>({static_cast<int64_t>(values.size())}, std::span<const T>(values));
  const DigitPlan plan = plan_digits(magnitude_bound(q.dtype(), zero_point), bits);
  const std::vector<Digit> digits = split_digits(q, zero_point, plan, nullptr);
  for (size_t i = 0; i < values.size(); ++i) {
    double sum = 0;
    for (const Digit& digit : digits) {
      const float d = digit.values.data<float>()[i];
      ASSERT_LE(std::fabs(d), static_cast<float>(plan.largest));
      sum += std::ldexp(static_cast<double>(d), digit.shift);
    }
    ASSERT_EQ(sum, static_cast<double>(values[i]) - zero_point) << "bits " << bits;
  }
}

TEST(Digits, RebuildEveryValueOfEveryType) {
  for (int bits : {8, 4, 2}) {
    expect_digits_rebuild_every_value<int8_t>(0, bits);
    expect_digits_rebuild_every_value<int8_t>(-128, bits);
    expect_digits_rebuild_every_value<uint8_t>(128, bits);
    expect_digits_rebuild_every_value<int16_t>(0, bits);
    expect_digits_rebuild_every_value<uint16_t>(0, bits);
    expect_digits_rebuild_every_value<uint16_t>(65535, bits);
  }
}

TEST(Digits, Int8TakesOneAndInt16Two) {
  EXPECT_EQ(plan_digits(128, 8).shifts, (std::vector<int>{0}));
  EXPECT_EQ(plan_digits(255, 8).shifts, (std::vector<int>{0}));
  EXPECT_EQ(plan_digits(32768, 8).shifts, (std::vector<int>{0, 8}));
  EXPECT_EQ(plan_digits(32768, 8).largest, 128);
}

}  // namespace
}  // namespace twofold
