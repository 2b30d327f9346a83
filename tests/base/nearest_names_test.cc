#include "base/nearest_names.h"

#include <gtest/gtest.h>

namespace twofold {
namespace {

TEST(EditDistance, CountsSingleCharacterEditsWithoutCase) {
  EXPECT_EQ(edit_distance("", ""), 0U);
  EXPECT_EQ(edit_distance("abc", ""), 3U);
  EXPECT_EQ(edit_distance("kitten", "sitting"), 3U);
  EXPECT_EQ(edit_distance("Matmul_2", "MatMul_2"), 0U);
  EXPECT_EQ(edit_distance("input0", "input10"), 1U);
}

TEST(NearestNames, OrdersByDistanceThenAsGiven) {
  const std::vector<std::string> known = {"Conv_10", "Conv_1", "Relu_1", "Conv_2"};
  EXPECT_EQ(nearest_names("conv_1", known, 3), (std::vector<std::string>{"Conv_1", "Conv_10", "Conv_2"}));
  EXPECT_EQ(nearest_names("x", {}, 3), std::vector<std::string>{});
  EXPECT_EQ(quoted_list(std::vector<std::string>{"a", "b"}), "'a', 'b'");
}

}  // namespace
}  // namespace twofold
