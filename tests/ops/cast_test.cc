#include "ops/cast.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "numeric/float16.h"
#include "ops/run_op.h"

namespace twofold::testing {
namespace {

template <typename To>
std::vector<To> cast_floats(const std::vector<float>& x, DType dtype) {
  return values<To>(cast(tensor<float>({static_cast<int64_t>(x.size())}, x), dtype));
}

TEST(Cast, FloatsToIntegersTruncateAndSaturate) {
  EXPECT_EQ(cast_floats<int8_t>({1.9F, -1.9F, 200, -200, NAN}, DType::kInt8),
            (std::vector<int8_t>{1, -1, 127, -128, 0}));
  EXPECT_EQ(cast_floats<uint8_t>({-1, 255.9F, 256}, DType::kUInt8), (std::vector<uint8_t>{0, 255, 255}));
  EXPECT_EQ(cast_floats<int64_t>({9.3e18F, -INFINITY}, DType::kInt64),
            (std::vector<int64_t>{std::numeric_limits<int64_t>::max(), std::numeric_limits<int64_t>::min()}));
  EXPECT_EQ(cast_floats<uint8_t>({0, -0.0F, 0.1F, NAN}, DType::kBool), (std::vector<uint8_t>{0, 0, 1, 1}));
}

TEST(Cast, IntegersWrap) {
  EXPECT_EQ(values<int8_t>(cast(tensor<int32_t>({2}, {300, -129}), DType::kInt8)), (std::vector<int8_t>{44, 127}));
}

TEST(Cast, Float16RoundsTiesToEven) {
  // 1 + 2^-11 is a tie below, 1 + 3 * 2^-11 a tie above; 65520 rounds out of range; 2^-25 ties to 0.
  const std::vector<float> x = {1 + 0x1p-11F, 1 + 0x3p-11F, 65519.996F, 65520, 0x1p-25F, 0x1.8p-25F, -0x1p-14F, NAN};
  EXPECT_EQ(cast_floats<uint16_t>(x, DType::kFloat16),
            (std::vector<uint16_t>{0x3c00, 0x3c02, 0x7bff, 0x7c00, 0x0000, 0x0001, 0x8400, 0x7e00}));
  EXPECT_EQ(cast_floats<uint16_t>({1 + 0x1p-8F, 1 + 0x3p-8F, 3.4e38F}, DType::kBFloat16),
            (std::vector<uint16_t>{0x3f80, 0x3f82, 0x7f80}));
}

TEST(Cast, Every16BitPatternComesBack) {
  for (uint32_t bits = 0; bits < 0x10000; ++bits) {
    const auto half = static_cast<uint16_t>(bits);
    const float wide = float16_to_float(half), brain = bfloat16_to_float(half);
    if (!std::isnan(wide)) {
      ASSERT_EQ(float_to_float16(wide), half);
    }
    if (!std::isnan(brain)) {
      ASSERT_EQ(float_to_bfloat16(brain), half);
    }
  }
  EXPECT_EQ(float16_to_float(0x0001), 0x1p-24F);
  EXPECT_EQ(float16_to_float(0xc100), -2.5F);
}

TEST(Cast, RefusesWhatThereIsNoTypeFor) {
  const Tensor x = tensor<float>({1}, {1});
  for (int64_t to : {int64_t{-1}, int64_t{0}, int64_t{8}, int64_t{17}, int64_t{1} << 40}) {
    EXPECT_EQ(error_of("Cast", {x}, {{"to", to}}), ErrorCode::kUnsupported) << to;
  }
}

}  // namespace
}  // namespace twofold::testing
