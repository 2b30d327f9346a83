#include "plan/operand_ref.h"

#include <gtest/gtest.h>

#include <limits>
#include <set>
#include <vector>

namespace twofold {
namespace {

TEST(OperandRef, IsWrittenAndReadAsText) {
  EXPECT_EQ(to_string(OperandRef::input(0)), "input0");
  EXPECT_EQ(to_string(OperandRef::output(12)), "output12");
  EXPECT_EQ(parse_operand("input0"), OperandRef::input(0));
  EXPECT_EQ(parse_operand("output12"), OperandRef::output(12));
  EXPECT_EQ(parse_operand("input2147483647"), OperandRef::input(std::numeric_limits<int>::max()));
}

TEST(OperandRef, OtherTextIsNone) {
  for (const char* text : {"", "input", "output", "inputs", "input01", "input-1", "input+1", "input 1", "input1 ",
                           "Input0", "0", "input2147483648", "weight"}) {
    EXPECT_FALSE(parse_operand(text).has_value()) << text;
  }
}

TEST(OperandRef, InputsComeBeforeOutputsByIndex) {
  const std::set<OperandRef> sorted = {OperandRef::output(0), OperandRef::input(10), OperandRef::input(2),
                                       OperandRef::output(1)};
  const std::vector<OperandRef> expected = {OperandRef::input(2), OperandRef::input(10), OperandRef::output(0),
                                            OperandRef::output(1)};
  EXPECT_EQ(std::vector<OperandRef>(sorted.begin(), sorted.end()), expected);
}

}  // namespace
}  // namespace twofold
