#include <gtest/gtest.h>

#include "ops/run_op.h"

namespace twofold {
namespace {

using testing::random_tensor;
using testing::run_op;
using testing::tensor;
using testing::values;
using Ints = std::vector<int64_t>;

TEST(ConvTranspose, LiteralOverlap) {
  const Tensor x = testing::counting<float>({1, 1, 2, 2});
  const Tensor w = tensor<float>({1, 1, 2, 2}, {1, 1, 1, 1});
  const Tensor y = run_op("ConvTranspose", {x, w})[0];
  EXPECT_EQ(y.shape(), (Shape{1, 1, 3, 3}));
  EXPECT_EQ(values<float>(y), (std::vector<float>{0, 1, 1, 2, 6, 4, 2, 5, 3}));
}

TEST(ConvTranspose, GroupsScatterAsTheDefinitionSays) {
  const int64_t group = 2;
  const Ints strides = {2, 3}, dilations = {1, 2}, pads = {1, 0, 0, 1};
  const Tensor x = random_tensor({2, 4, 5, 4}, 1), w = random_tensor({4, 3, 3, 2}, 2), b = random_tensor({6}, 3);
  const Tensor y = run_op("ConvTranspose", {x, w, b},
                          {{"group", group},
                           {"strides", strides},
                           {"dilations", dilations},
                           {"pads", pads},
                           {"output_padding", Ints{1, 0}}})[0];
  ASSERT_EQ(y.shape(), (Shape{2, 6, 11, 11}));
  std::vector<double> expected(static_cast<size_t>(y.size()));
  for (size_t i = 0; i < expected.size(); ++i) expected[i] = b.data<float>()[i / 121 % 6];
  for (int64_t n = 0; n < 2; ++n)
    for (int64_t c = 0; c < 4; ++c)
      for (int64_t i = 0; i < 5; ++i)
        for (int64_t j = 0; j < 4; ++j)
          for (int64_t m = 0; m < 3; ++m)
            for (int64_t r = 0; r < 3; ++r)
              for (int64_t s = 0; s < 2; ++s) {
                const int64_t row = i * 2 + r - 1, column = j * 3 + s * 2;
                if (row < 0 || row >= 11 || column >= 11) continue;
                const int64_t channel = c / 2 * 3 + m;
                expected[static_cast<size_t>(((n * 6 + channel) * 11 + row) * 11 + column)] +=
                    static_cast<double>(x.data<float>()[static_cast<size_t>(((n * 4 + c) * 5 + i) * 4 + j)]) *
                    w.data<float>()[static_cast<size_t>(((c * 3 + m) * 3 + r) * 2 + s)];
              }
  for (size_t i = 0; i < expected.size(); ++i) ASSERT_NEAR(y.data<float>()[i], expected[i], 1e-4) << i;
}

TEST(ConvTranspose, OutputShapeAndAutoPad) {
  const Tensor x = testing::counting<float>({1, 1, 3}), w = tensor<float>({1, 1, 3}, {1, 10, 100});
  const testing::AttributeList stride = {{"strides", Ints{2}}};
  const auto with = [&](const std::string& name, const Attribute& value) {
    testing::AttributeList list = stride;
    list.emplace_back(name, value);
    return values<float>(run_op("ConvTranspose", {x, w}, list)[0]);
  };
  // The whole sum is 0 0 1 10 102 20 200.
  EXPECT_EQ(values<float>(run_op("ConvTranspose", {x, w}, stride)[0]), (std::vector<float>{0, 0, 1, 10, 102, 20, 200}));
  EXPECT_EQ(with("output_shape", Ints{6}), (std::vector<float>{0, 1, 10, 102, 20, 200}));
  EXPECT_EQ(with("auto_pad", std::string("SAME_UPPER")), (std::vector<float>{0, 0, 1, 10, 102, 20}));
  EXPECT_EQ(with("auto_pad", std::string("SAME_LOWER")), (std::vector<float>{0, 1, 10, 102, 20, 200}));
  EXPECT_EQ(with("output_padding", Ints{1}), (std::vector<float>{0, 0, 1, 10, 102, 20, 200, 0}));
}

TEST(ConvTranspose, RefusesWhatDoesNotFit) {
  const Tensor x = random_tensor({1, 4, 3, 3}, 1), w = random_tensor({4, 2, 2, 2}, 2);
  const auto error = [&](const std::vector<Tensor>& inputs, const testing::AttributeList& attributes) {
    return testing::error_of("ConvTranspose", inputs, attributes);
  };
  EXPECT_EQ(error({x, random_tensor({3, 2, 2, 2}, 2)}, {}), ErrorCode::kInvalidModel);
  EXPECT_EQ(error({x, w}, {{"group", int64_t{3}}}), ErrorCode::kInvalidModel);
  EXPECT_EQ(error({x, w}, {{"output_padding", Ints{1, 1}}}), ErrorCode::kInvalidModel);
  EXPECT_EQ(error({x, w}, {{"output_shape", Ints{-4, 4}}}), ErrorCode::kInvalidModel);
  EXPECT_EQ(error({x, w}, {{"output_shape", Ints{4}}}), ErrorCode::kInvalidModel);
  EXPECT_EQ(error({x, w}, {{"pads", Ints{9, 9, 9, 9}}}), ErrorCode::kInvalidModel);
  EXPECT_EQ(error({x, w}, {{"strides", Ints{(int64_t{1} << 31) - 1, (int64_t{1} << 31) - 1}}}),
            ErrorCode::kResourceExhausted);
}

}  // namespace
}  // namespace twofold
