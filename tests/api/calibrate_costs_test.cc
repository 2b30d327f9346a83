#include "twofold/calibrate_costs.h"

#include <gtest/gtest.h>

namespace twofold {
namespace {

TEST(TargetLine, IsWhatATargetFileHolds) {
  const std::vector<std::string> any = {"int8", "int16", "float16", "float32"};
  EXPECT_EQ(target_line({{{"int8"}, {"ec"}}, any, 1.68}), "- {inputs: [int8, ec], cost: 1.7}");
  EXPECT_EQ(target_line({{{"int8", "int16"}}, any, 2}), "- {each_input: [int8, int16], cost: 2}");
  EXPECT_EQ(target_line({{{"int8"}, {"int8", "int16"}}, {"int8"}, 1}),
            "- {inputs: [int8, [int8, int16]], outputs: [int8], cost: 1}");
}

}  // namespace
}  // namespace twofold
