#include <limits>

#include "ops/run_op.h"

namespace twofold::testing {
namespace {

constexpr int64_t kHuge = std::numeric_limits<int64_t>::max();

TEST(Shape, StartAndEndAreClamped) {
  const Tensor x(DType::kFloat32, {2, 3, 4});
  EXPECT_EQ(values<int64_t>(run_op("Shape", {x})[0]), (std::vector<int64_t>{2, 3, 4}));
  EXPECT_EQ(values<int64_t>(run_op("Shape", {x}, {{"start", int64_t{-1}}})[0]), (std::vector<int64_t>{4}));
  EXPECT_EQ(values<int64_t>(run_op("Shape", {x}, {{"start", int64_t{-9}}, {"end", int64_t{-1}}})[0]),
            (std::vector<int64_t>{2, 3}));
  EXPECT_EQ(values<int64_t>(run_op("Shape", {x}, {{"start", int64_t{2}}, {"end", int64_t{1}}})[0]),
            (std::vector<int64_t>{}));
}

TEST(Reshape, CopiesZeroAndInfersMinusOne) {
  const Tensor x = counting<int16_t>({2, 3, 4});
  EXPECT_EQ(run_op("Reshape", {x, ints({0, -1})})[0].shape(), (Shape{2, 12}));
  EXPECT_EQ(run_op("Reshape", {x, ints({-1})})[0].shape(), (Shape{24}));
  EXPECT_EQ(run_op("Reshape", {x, ints({-1})})[0].bytes(), x.bytes());
  const Tensor empty(DType::kFloat32, {0, 3});
  EXPECT_EQ(run_op("Reshape", {empty, ints({3, 0})}, {{"allowzero", int64_t{1}}})[0].shape(), (Shape{3, 0}));
}

TEST(Reshape, RejectsWhatDoesNotFit) {
  const Tensor x = counting<float>({2, 3});
  for (const auto& shape : {ints({-1, -1}), ints({4, 2}), ints({-2, -3}), ints({4, -1}), ints({1, 1, 0}),
                            ints({kHuge, kHuge, -1}), ints({kHuge, 6})}) {
    EXPECT_EQ(error_of("Reshape", {x, shape}), ErrorCode::kInvalidModel);
  }
  const Tensor empty(DType::kFloat32, {0, 3});
  EXPECT_EQ(error_of("Reshape", {empty, ints({0, -1})}), ErrorCode::kInvalidModel);
  EXPECT_EQ(error_of("Reshape", {x, counting<float>({2})}), ErrorCode::kInvalidModel);
}

TEST(Squeeze, DropsOnlyOnes) {
  const Tensor x = counting<float>({1, 3, 1});
  EXPECT_EQ(run_op("Squeeze", {x})[0].shape(), (Shape{3}));
  EXPECT_EQ(run_op("Squeeze", {x, ints({-1})})[0].shape(), (Shape{1, 3}));
  EXPECT_EQ(error_of("Squeeze", {x, ints({1})}), ErrorCode::kInvalidModel);
  EXPECT_EQ(error_of("Squeeze", {x, ints({3})}), ErrorCode::kInvalidModel);
}

TEST(Unsqueeze, CountsAxesInTheResult) {
  const Tensor x = counting<float>({2, 3});
  EXPECT_EQ(run_op("Unsqueeze", {x, ints({3, 0})})[0].shape(), (Shape{1, 2, 3, 1}));
  EXPECT_EQ(run_op("Unsqueeze", {x, ints({-1})})[0].shape(), (Shape{2, 3, 1}));
  EXPECT_EQ(error_of("Unsqueeze", {x, ints({0, 0})}), ErrorCode::kInvalidModel);
  EXPECT_EQ(error_of("Unsqueeze", {x, ints({4, 0})}), ErrorCode::kInvalidModel);
}

TEST(Flatten, SplitsAtAxis) {
  const Tensor x = counting<float>({2, 3, 4});
  EXPECT_EQ(run_op("Flatten", {x})[0].shape(), (Shape{2, 12}));
  EXPECT_EQ(run_op("Flatten", {x}, {{"axis", int64_t{0}}})[0].shape(), (Shape{1, 24}));
  EXPECT_EQ(run_op("Flatten", {x}, {{"axis", int64_t{-1}}})[0].shape(), (Shape{6, 4}));
  EXPECT_EQ(run_op("Flatten", {x}, {{"axis", int64_t{3}}})[0].shape(), (Shape{24, 1}));
  EXPECT_EQ(error_of("Flatten", {x}, {{"axis", int64_t{4}}}), ErrorCode::kInvalidModel);
}

TEST(Dropout, PassesThroughAtInference) {
  const Tensor x = counting<float>({2, 2});
  const auto out = run_op("Dropout", {x}, {}, 2);
  EXPECT_EQ(out[0].bytes(), x.bytes());
  EXPECT_EQ(values<uint8_t>(out[1]), (std::vector<uint8_t>{1, 1, 1, 1}));
  Tensor training(DType::kBool, {});
  training.mutable_data<uint8_t>()[0] = 1;
  EXPECT_EQ(error_of("Dropout", {x, Tensor::scalar(0.5F), training}), ErrorCode::kUnsupported);
}

TEST(ConstantOfShape, FillsWithAnyType) {
  EXPECT_EQ(values<float>(run_op("ConstantOfShape", {ints({2})})[0]), (std::vector<float>{0, 0}));
  const auto out = run_op("ConstantOfShape", {ints({})}, {{"value", tensor<int8_t>({1}, {-7})}});
  EXPECT_EQ(values<int8_t>(out[0]), (std::vector<int8_t>{-7}));
  EXPECT_EQ(error_of("ConstantOfShape", {ints({-1})}), ErrorCode::kInvalidArgument);
  EXPECT_EQ(error_of("ConstantOfShape", {ints({kHuge, 3})}), ErrorCode::kResourceExhausted);
  EXPECT_EQ(error_of("ConstantOfShape", {ints({kHuge / 16})}), ErrorCode::kResourceExhausted);
}

TEST(Range, CountsUpAndDown) {
  const auto range = [](auto start, auto limit, auto delta) {
    return run_op("Range", {Tensor::scalar(start), Tensor::scalar(limit), Tensor::scalar(delta)})[0];
  };
  EXPECT_EQ(values<float>(range(1.0F, 2.0F, 0.25F)), (std::vector<float>{1, 1.25, 1.5, 1.75}));
  EXPECT_EQ(values<int64_t>(range(int64_t{10}, int64_t{4}, int64_t{-3})), (std::vector<int64_t>{10, 7}));
  EXPECT_EQ(values<int32_t>(range(3, 3, 1)), (std::vector<int32_t>{}));
  EXPECT_EQ(values<int16_t>(range(int16_t{3}, int16_t{-3}, int16_t{2})), (std::vector<int16_t>{}));
  EXPECT_EQ(values<int64_t>(range(kHuge - 1, kHuge, int64_t{5})), (std::vector<int64_t>{kHuge - 1}));
}

TEST(Range, RejectsEndlessRanges) {
  const auto error = [](auto start, auto limit, auto delta) {
    return error_of("Range", {Tensor::scalar(start), Tensor::scalar(limit), Tensor::scalar(delta)});
  };
  EXPECT_EQ(error(0.0F, 1.0F, 0.0F), ErrorCode::kInvalidArgument);
  EXPECT_EQ(error(0.0F, 1.0F, std::numeric_limits<float>::quiet_NaN()), ErrorCode::kInvalidArgument);
  EXPECT_EQ(error(std::numeric_limits<float>::quiet_NaN(), 1.0F, 1.0F), ErrorCode::kInvalidArgument);
  EXPECT_EQ(error(0.0F, std::numeric_limits<float>::infinity(), 1.0F), ErrorCode::kInvalidArgument);
  EXPECT_EQ(error(-kHuge, kHuge, int64_t{1}), ErrorCode::kInvalidArgument);
}

TEST(EyeLike, PutsOnesOnDiagonalK) {
  const Tensor x(DType::kFloat32, {2, 3});
  EXPECT_EQ(values<float>(run_op("EyeLike", {x}, {{"k", int64_t{1}}})[0]), (std::vector<float>{0, 1, 0, 0, 0, 1}));
  EXPECT_EQ(values<int32_t>(run_op("EyeLike", {x}, {{"k", int64_t{-1}}, {"dtype", int64_t{6}}})[0]),
            (std::vector<int32_t>{0, 0, 0, 1, 0, 0}));
  EXPECT_EQ(values<float>(run_op("EyeLike", {x}, {{"k", -kHuge}})[0]), std::vector<float>(6, 0.0F));
  EXPECT_EQ(error_of("EyeLike", {x}, {{"dtype", int64_t{8}}}), ErrorCode::kUnsupported);
}

}  // namespace
}  // namespace twofold::testing
