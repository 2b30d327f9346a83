// GridSample, AffineGrid and RoiAlign.
#include <limits>

#include "ops/run_op.h"

namespace twofold::testing {
namespace {

std::vector<float> sample_row(const std::vector<float>& at, const std::string& mode, const std::string& padding,
                              int64_t align_corners) {
  // One row of four pixels; the grid moves along it.
  std::vector<float> grid;
  for (float x : at) grid.insert(grid.end(), {x, 0});
  const auto n = static_cast<int64_t>(at.size());
  return values<float>(run_op("GridSample",
                              {tensor<float>({1, 1, 1, 4}, {1, 2, 4, 8}), tensor<float>({1, 1, n, 2}, grid)},
                              {{"mode", mode}, {"padding_mode", padding}, {"align_corners", align_corners}})[0]);
}

TEST(GridSample, HandComputed) {
  // Pixel centers are at -0.75, -0.25, 0.25, 0.75; with align_corners at -1, -1/3, 1/3, 1.
  EXPECT_EQ(sample_row({-0.75F, 0, 0.5F}, "linear", "zeros", 0), (std::vector<float>{1, 3, 6}));
  EXPECT_EQ(sample_row({-1, 1, 1.25F}, "linear", "zeros", 0), (std::vector<float>{0.5F, 4, 0}));
  EXPECT_EQ(sample_row({-1, 1, 9}, "linear", "border", 0), (std::vector<float>{1, 8, 8}));
  EXPECT_EQ(sample_row({1.25F, -1.25F}, "linear", "reflection", 0), (std::vector<float>{8, 1}));
  EXPECT_EQ(sample_row({-1, 0, 1}, "linear", "zeros", 1), (std::vector<float>{1, 3, 8}));
  // Ties go to the even pixel: 0 is between pixels 1 and 2, -0.5 between 0 and 1.
  EXPECT_EQ(sample_row({0, -0.5F, 2}, "nearest", "zeros", 0), (std::vector<float>{4, 1, 0}));
  EXPECT_EQ(sample_row({-0.25F, 0.25F}, "cubic", "zeros", 0), (std::vector<float>{2, 4}));
}

TEST(GridSample, AnyNumberInTheGridIsSafe) {
  constexpr float kNan = std::numeric_limits<float>::quiet_NaN(), kInf = std::numeric_limits<float>::infinity();
  for (const char* mode : {"nearest", "linear", "cubic"}) {
    for (const char* padding : {"zeros", "border", "reflection"}) {
      for (int64_t align : {0, 1}) {
        for (float v : sample_row({kNan, kInf, -kInf, 1e30F, -1e30F}, mode, padding, align)) {
          EXPECT_TRUE(v > -10 && v < 20) << mode << " " << padding;
        }
      }
    }
  }
}

TEST(GridSample, IdentityGridGivesTheInputInVolumesToo) {
  const Tensor x = random_tensor({2, 3, 4, 5, 6}, 1);
  const Tensor theta =
      tensor<float>({2, 3, 4}, {1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0});
  const Tensor grid = run_op("AffineGrid", {theta, ints({2, 3, 4, 5, 6})})[0];
  ASSERT_EQ(grid.shape(), (Shape{2, 4, 5, 6, 3}));
  const Tensor out = run_op("GridSample", {x, grid})[0];
  for (size_t i = 0; i < 720; ++i) EXPECT_NEAR(out.data<float>()[i], x.data<float>()[i], 1e-5);
  expect_same(run_op("GridSample", {x, grid}, {}, 1, 2)[0], out);
}

TEST(GridSample, RejectsBadArguments) {
  const Tensor x = random_tensor({1, 1, 2, 2}, 1), grid = random_tensor({1, 2, 2, 2}, 2);
  EXPECT_EQ(error_of("GridSample", {x, random_tensor({1, 2, 2, 3}, 2)}), ErrorCode::kInvalidModel);
  EXPECT_EQ(error_of("GridSample", {x, random_tensor({2, 2, 2, 2}, 2)}), ErrorCode::kInvalidModel);
  EXPECT_EQ(error_of("GridSample", {x, grid}, {{"mode", std::string("area")}}), ErrorCode::kInvalidModel);
  EXPECT_EQ(error_of("GridSample", {Tensor(DType::kFloat32, {1, 1, 0, 2}), grid}), ErrorCode::kInvalidArgument);
  EXPECT_EQ(error_of("AffineGrid", {grid, ints({1, 1, 2, 2})}), ErrorCode::kInvalidModel);
  EXPECT_EQ(error_of("AffineGrid", {random_tensor({1, 2, 3}, 1), ints({1, 1, -2, 2})}), ErrorCode::kInvalidArgument);
}

TEST(RoiAlign, AveragesTheSamplesOfABin) {
  // The gradient x + 10 y is its own bilinear interpolation: a bin's average is the value at its center.
  Tensor x(DType::kFloat32, {1, 1, 6, 6});
  for (size_t i = 0; i < 36; ++i) x.mutable_data<float>()[i] = static_cast<float>(i % 6 + 10 * (i / 6));
  const Tensor rois = tensor<float>({1, 4}, {1, 1, 5, 5});
  const auto out =
      run_op("RoiAlign", {x, rois, ints({0})}, {{"output_height", int64_t{2}}, {"output_width", int64_t{2}}});
  EXPECT_EQ(values<float>(out[0]), (std::vector<float>{16.5F, 18.5F, 36.5F, 38.5F}));
  EXPECT_EQ(error_of("RoiAlign", {x, rois, ints({1})}), ErrorCode::kInvalidArgument);
  EXPECT_EQ(error_of("RoiAlign", {x, tensor<float>({1, 4}, {0, 0, 1e30F, 1e30F}), ints({0})}),
            ErrorCode::kInvalidArgument);
  EXPECT_EQ(error_of("RoiAlign", {x, rois, ints({0})}, {{"output_height", int64_t{0}}}), ErrorCode::kInvalidModel);
}

}  // namespace
}  // namespace twofold::testing
