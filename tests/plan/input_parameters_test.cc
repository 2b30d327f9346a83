#include "plan/config.h"
#include "plan/expect_error.h"

namespace twofold {
namespace {

std::vector<InputConfig> inputs(const std::string& text) {
  return parse_config("input_parameters:\n  " + text, "file").inputs;
}

TEST(InputParameters, OneInputInEverySpelling) {
  const std::vector<double> mean = {103.94, 116.78, 123.68};
  for (const char* text : {"mean_value: 103.94 116.78 123.68", "mean_value: '103.94, 116.78, 123.68;'",
                           "mean_value: [103.94, 116.78, 123.68]", "mean_value: [[103.94, 116.78, 123.68]]",
                           "mean_value: ['103.94 116.78 123.68']", "mean_value: [103.94 116.78 123.68]"}) {
    const std::vector<InputConfig> result = inputs(text);
    ASSERT_EQ(result.size(), 1U) << text;
    EXPECT_EQ(result[0].mean, mean) << text;
    EXPECT_EQ(result[0].name, "");
    EXPECT_TRUE(result[0].scale.empty());
  }
  EXPECT_EQ(inputs("mean_value: -0.5").at(0).mean, std::vector{-0.5});
  EXPECT_TRUE(inputs("mean_value: ''").empty());
  EXPECT_TRUE(inputs("mean_value:").empty());
}

TEST(InputParameters, StandardDeviationsAreInverted) {
  EXPECT_EQ(inputs("std_value: 2 4 0.5").at(0).scale, (std::vector{0.5, 0.25, 2.0}));
  EXPECT_EQ(inputs("scale_value: 2 4 0.5").at(0).scale, (std::vector{2.0, 4.0, 0.5}));
  EXPECT_ERROR(inputs("std_value: 1 0 1"), ErrorCode::kInvalidArgument, "must not be 0");
  EXPECT_ERROR(inputs("scale_value: 0"), ErrorCode::kInvalidArgument, "must not be 0");
  EXPECT_ERROR(inputs("scale_value: 1\n  std_value: 1"), ErrorCode::kInvalidArgument, "not both");
}

TEST(InputParameters, SeveralInputs) {
  const std::vector<InputConfig> result =
      inputs("input_name: a;b;c\n  input_shape: 1x3x4x5;-1x7;?x2\n  mean_value: 1 2 3;;4\n  scale_value: 2;3;");
  ASSERT_EQ(result.size(), 3U);
  EXPECT_EQ(result[0].name, "a");
  EXPECT_EQ(result[0].shape, (Shape{1, 3, 4, 5}));
  EXPECT_EQ(result[1].shape, (Shape{-1, 7}));
  EXPECT_EQ(result[2].shape, (Shape{-1, 2}));
  EXPECT_EQ(result[0].mean, (std::vector{1.0, 2.0, 3.0}));
  EXPECT_TRUE(result[1].mean.empty());
  EXPECT_EQ(result[2].mean, std::vector{4.0});
}

TEST(InputParameters, Errors) {
  EXPECT_ERROR(inputs("mean_value: 1 two 3"), ErrorCode::kInvalidArgument, "'two' is not a number");
  EXPECT_ERROR(inputs("mean_value: 1 inf"), ErrorCode::kInvalidArgument, "'inf' is not a number");
  EXPECT_ERROR(inputs("mean_value: {a: 1}"), ErrorCode::kInvalidArgument, "must be text, not a map");
  EXPECT_ERROR(inputs("input_shape: 1x0x3"), ErrorCode::kInvalidArgument, "'0' is not a dimension");
  EXPECT_ERROR(inputs("input_shape: 1x3x99999999999999999999"), ErrorCode::kInvalidArgument, "is not a dimension");
  EXPECT_ERROR(inputs("input_name: a;b\n  mean_value: 1;2;3"), ErrorCode::kInvalidArgument, "3 values for 2 inputs");
  EXPECT_ERROR(inputs("mean_value: 1 2 3\n  std_value: 1 2"), ErrorCode::kInvalidArgument, "mean_value has 3");
  EXPECT_ERROR(inputs("mean_values: 1"), ErrorCode::kInvalidArgument, "did you mean 'mean_value'?");
}

}  // namespace
}  // namespace twofold
