#include <cmath>
#include <limits>

#include "ops/run_op.h"

namespace twofold::testing {
namespace {

const std::string kModes[] = {"half_pixel",    "half_pixel_symmetric", "pytorch_half_pixel",
                              "align_corners", "asymmetric",           "tf_crop_and_resize"};

Tensor floats(const std::vector<float>& v) { return tensor<float>({static_cast<int64_t>(v.size())}, v); }

Tensor resize(const Tensor& x, const std::vector<float>& scales, const AttributeList& attributes) {
  return run_op("Resize", {x, Tensor(), floats(scales)}, attributes)[0];
}

Tensor resize_to(const Tensor& x, const std::vector<int64_t>& sizes, const AttributeList& attributes) {
  return run_op("Resize", {x, Tensor(), Tensor(), ints(sizes)}, attributes)[0];
}

std::vector<int32_t> nearest_1d(const std::vector<int32_t>& x, int64_t size, const std::string& nearest,
                                const std::string& coordinates) {
  return values<int32_t>(resize_to(tensor<int32_t>({static_cast<int64_t>(x.size())}, x), {size},
                                   {{"nearest_mode", nearest}, {"coordinate_transformation_mode", coordinates}}));
}

TEST(ResizeNearest, EveryRoundingAtTies) {
  // Coordinates of 4 -> 8, asymmetric: 0, 0.5, 1, 1.5, 2, 2.5, 3, 3.5.
  const std::vector<int32_t> x = {0, 1, 2, 3};
  EXPECT_EQ(nearest_1d(x, 8, "floor", "asymmetric"), (std::vector<int32_t>{0, 0, 1, 1, 2, 2, 3, 3}));
  EXPECT_EQ(nearest_1d(x, 8, "ceil", "asymmetric"), (std::vector<int32_t>{0, 1, 1, 2, 2, 3, 3, 3}));
  EXPECT_EQ(nearest_1d(x, 8, "round_prefer_floor", "asymmetric"), (std::vector<int32_t>{0, 0, 1, 1, 2, 2, 3, 3}));
  EXPECT_EQ(nearest_1d(x, 8, "round_prefer_ceil", "asymmetric"), (std::vector<int32_t>{0, 1, 1, 2, 2, 3, 3, 3}));
  // Half pixel, 4 -> 2: 0.5, 2.5.
  EXPECT_EQ(nearest_1d(x, 2, "round_prefer_floor", "half_pixel"), (std::vector<int32_t>{0, 2}));
  EXPECT_EQ(nearest_1d(x, 2, "round_prefer_ceil", "half_pixel"), (std::vector<int32_t>{1, 3}));
}

// Coordinates that are ties by the sizes, but not in float32, whatever is rounded on the way: 19 * 7 / 38 = 3.5.
TEST(ResizeNearest, SizesGiveExactTies) {
  struct Tie {
    int64_t in, out;
    size_t at;
    int32_t floor;
    std::string coordinates;
  };
  const Tie ties[] = {{7, 38, 19, 3, "asymmetric"},
                      {9, 42, 35, 7, "asymmetric"},
                      {7, 2, 1, 3, "asymmetric"},
                      {14, 19, 9, 6, "half_pixel"},
                      {14, 31, 15, 6, "pytorch_half_pixel"},
                      {18, 21, 17, 14, "half_pixel_symmetric"},
                      {4, 7, 3, 1, "align_corners"},
                      {20000, 40000, 39999, 19999, "asymmetric"}};
  for (const auto& [in, out, at, floor, coordinates] : ties) {
    const Tensor index = counting<int32_t>({in});
    const std::vector<int32_t> x = values<int32_t>(index);
    EXPECT_EQ(nearest_1d(x, out, "round_prefer_floor", coordinates)[at], floor) << coordinates << in << " to " << out;
    EXPECT_EQ(nearest_1d(x, out, "round_prefer_ceil", coordinates)[at], std::min<int64_t>(floor + 1, in - 1))
        << coordinates << in << " to " << out;
  }
}

// A scale of 42 / 9 in float32 means it too.
TEST(ResizeNearest, ScalesGiveTiesUpToTheirRounding) {
  const auto pick = [](float scale, const std::string& nearest) {
    return values<float>(
        resize(counting<float>({9}), {scale},
               {{"nearest_mode", nearest}, {"coordinate_transformation_mode", std::string("asymmetric")}}));
  };
  EXPECT_EQ(pick(42.0F / 9.0F, "round_prefer_floor")[35], 7.0F);
  EXPECT_EQ(pick(42.0F / 9.0F, "round_prefer_ceil")[35], 8.0F);
  EXPECT_EQ(pick(4.7F, "round_prefer_floor")[35], 7.0F);
}

TEST(ResizeNearest, ScaleOfOneThirdMeansEveryThird) {
  const auto out =
      resize(counting<float>({9}), {1.0F / 3.0F},
             {{"nearest_mode", std::string("floor")}, {"coordinate_transformation_mode", std::string("asymmetric")}});
  EXPECT_EQ(values<float>(out), (std::vector<float>{0, 3, 6}));
}

TEST(ResizeNearest, DoublingCopiesEachElementFourTimes) {
  const Tensor x = counting<int8_t>({1, 2, 2, 2});
  for (const Tensor& input : {x, channels_last(x)}) {
    const auto out =
        resize(input, {1, 1, 2, 2},
               {{"coordinate_transformation_mode", std::string("asymmetric")}, {"nearest_mode", std::string("floor")}});
    EXPECT_EQ(values<int8_t>(out), (std::vector<int8_t>{0, 0, 1, 1, 0, 0, 1, 1, 2, 2, 3, 3, 2, 2, 3, 3,
                                                        4, 4, 5, 5, 4, 4, 5, 5, 6, 6, 7, 7, 6, 6, 7, 7}));
  }
}

template <typename T>
void expect_repeated(int64_t factor) {
  const Tensor x = counting<T>({2, 3, 5, 7});
  for (const Tensor& input : {x, channels_last(x)}) {
    const auto f = static_cast<float>(factor);
    const auto out =
        resize(input, {1, 1, f, f},
               {{"coordinate_transformation_mode", std::string("asymmetric")}, {"nearest_mode", std::string("floor")}});
    ASSERT_EQ(out.shape(), (Shape{2, 3, 5 * factor, 7 * factor}));
    const auto in = x.data<T>(), got = out.template data<T>();
    const size_t columns = 7 * static_cast<size_t>(factor), rows = 5 * static_cast<size_t>(factor);
    for (size_t i = 0; i < got.size(); ++i) {
      const size_t column = i % columns, row = i / columns % rows, plane = i / columns / rows;
      const auto f_size = static_cast<size_t>(factor);
      ASSERT_EQ(got[i], in[(plane * 5 + row / f_size) * 7 + column / f_size]) << factor << " at " << i;
    }
  }
}

TEST(ResizeNearest, RepeatsElementsOfEverySize) {
  for (int64_t factor : {2, 3, 4, 8}) {
    expect_repeated<uint8_t>(factor);
    expect_repeated<int16_t>(factor);
    expect_repeated<float>(factor);
    expect_repeated<double>(factor);
  }
}

TEST(ResizeLinear, HandComputed) {
  const Tensor x = tensor<float>({2}, {1, 2});
  const auto linear = [&](const std::string& mode, int64_t size) {
    return values<float>(
        resize_to(x, {size}, {{"mode", std::string("linear")}, {"coordinate_transformation_mode", mode}}));
  };
  EXPECT_EQ(linear("half_pixel", 4), (std::vector<float>{1, 1.25, 1.75, 2}));
  EXPECT_EQ(linear("asymmetric", 4), (std::vector<float>{1, 1.5, 2, 2}));
  EXPECT_EQ(linear("align_corners", 5), (std::vector<float>{1, 1.25, 1.5, 1.75, 2}));
  EXPECT_EQ(linear("half_pixel", 1), (std::vector<float>{1.5}));
  EXPECT_EQ(linear("pytorch_half_pixel", 1), (std::vector<float>{1}));
  EXPECT_EQ(linear("align_corners", 1), (std::vector<float>{1}));
}

TEST(ResizeLinear, RoundsIntegers) {
  const auto out = resize_to(tensor<uint8_t>({2}, {0, 255}), {4}, {{"mode", std::string("linear")}});
  EXPECT_EQ(values<uint8_t>(out), (std::vector<uint8_t>{0, 64, 191, 255}));
}

TEST(ResizeLinear, AntialiasAveragesAllItCovers) {
  // 4 -> 2 at half pixels: triangle weights (1, 3, 3, 1) / 8 around 0.5, of which those on one side are cut to the
  // edge.
  const auto out =
      resize_to(tensor<float>({4}, {8, 16, 32, 64}), {2}, {{"mode", std::string("linear")}, {"antialias", int64_t{1}}});
  EXPECT_EQ(values<float>(out),
            (std::vector<float>{(8 + 3 * 8 + 3 * 16 + 32) / 8.0F, (16 + 3 * 32 + 3 * 64 + 64) / 8.0F}));
  const auto cut =
      resize_to(tensor<float>({4}, {8, 16, 32, 64}), {2},
                {{"mode", std::string("linear")}, {"antialias", int64_t{1}}, {"exclude_outside", int64_t{1}}});
  EXPECT_FLOAT_EQ(cut.data<float>()[0], (3 * 8 + 3 * 16 + 32) / 7.0F);
}

TEST(ResizeCubic, HandComputed) {
  // 2 -> 4, half pixels: coordinate 0.25 has weights of distances 1.25, 0.25, 0.75, 1.75.
  const auto out = resize_to(tensor<float>({2}, {0, 1}), {4}, {{"mode", std::string("cubic")}});
  const auto keys = [](double d) {
    const double a = -0.75;
    return d <= 1 ? (a + 2) * d * d * d - (a + 3) * d * d + 1 : a * (d * d * d - 5 * d * d + 8 * d - 4);
  };
  EXPECT_NEAR(out.data<float>()[1], keys(0.75) + keys(1.75), 1e-6);
  EXPECT_NEAR(out.data<float>()[0], keys(1.25), 1e-6);
}

TEST(ResizeCrop, ExtrapolatesOutside) {
  const AttributeList attributes = {{"mode", std::string("linear")},
                                    {"coordinate_transformation_mode", std::string("tf_crop_and_resize")},
                                    {"extrapolation_value", 9.0F}};
  const Tensor x = tensor<float>({3}, {1, 2, 3});
  const auto out = run_op("Resize", {x, floats({0.5F, 1.5F}), Tensor(), ints({3})}, attributes);
  EXPECT_EQ(values<float>(out[0]), (std::vector<float>{2, 3, 9}));
  EXPECT_EQ(error_of("Resize", {x, Tensor(), Tensor(), ints({3})}, attributes), ErrorCode::kInvalidModel);
}

TEST(Resize, KeepsTheAspectRatio) {
  const Tensor x = counting<float>({1, 1, 4, 2});
  const auto shape = [&](const std::string& policy) {
    return resize_to(x, {6, 6}, {{"axes", std::vector<int64_t>{2, 3}}, {"keep_aspect_ratio_policy", policy}}).shape();
  };
  EXPECT_EQ(shape("stretch"), (Shape{1, 1, 6, 6}));
  EXPECT_EQ(shape("not_larger"), (Shape{1, 1, 6, 3}));
  EXPECT_EQ(shape("not_smaller"), (Shape{1, 1, 12, 6}));
}

// One axis, in double, straight from the definition: element x of the output is Σ weight(distance) · in / Σ weight.
double source(const std::string& mode, double x, double in, double out, double scale) {
  const double length = scale * in;
  if (mode == "align_corners") return length == 1 ? 0 : x * (in - 1) / (length - 1);
  if (mode == "asymmetric") return x / scale;
  if (mode == "pytorch_half_pixel" && length == 1) return -0.5;
  if (mode == "tf_crop_and_resize")
    return length == 1 ? 0.4 * (in - 1) + 0.1 * (in - 1) : (0.1 + x * 0.8 / (length - 1)) * (in - 1);
  const double offset = mode == "half_pixel_symmetric" ? in / 2 * (1 - out / length) : 0;
  return offset + (x + 0.5) / scale - 0.5;
}

double weight(bool cubic, double d) {
  d = std::fabs(d);
  if (!cubic) return std::max(0.0, 1 - d);
  return d <= 1 ? 1.25 * d * d * d - 2.25 * d * d + 1 : d < 2 ? -0.75 * (d * d * d - 5 * d * d + 8 * d - 4) : 0;
}

std::vector<double> interpolate(const std::vector<double>& in, int64_t out, double scale, const std::string& mode,
                                bool cubic, bool antialias, bool exclude) {
  std::vector<double> result;
  const auto n = static_cast<int64_t>(in.size());
  const double shrink = antialias ? std::min(1.0, scale) : 1.0;
  for (int64_t x = 0; x < out; ++x) {
    const double at = source(mode, static_cast<double>(x), static_cast<double>(n), static_cast<double>(out), scale);
    double sum = 0, total = 0;
    for (int64_t i = -40; i < n + 40; ++i) {
      if (exclude && (i < 0 || i >= n)) continue;
      const double w = weight(cubic, (static_cast<double>(i) - at) * shrink);
      sum += w * in[static_cast<size_t>(std::clamp<int64_t>(i, 0, n - 1))];
      total += w;
    }
    result.push_back(sum / total);
  }
  return result;
}

// Both layouts and 1 and 2 threads give the same bits, and they are near to the definition, applied axis by axis.
void expect_near_definition(const Tensor& x, int64_t height, int64_t width, const std::string& mode, bool cubic,
                            bool antialias, bool exclude) {
  const AttributeList attributes = {{"mode", std::string(cubic ? "cubic" : "linear")},
                                    {"coordinate_transformation_mode", mode},
                                    {"antialias", int64_t{antialias}},
                                    {"exclude_outside", int64_t{exclude}}};
  const std::vector<Tensor> inputs = {x, floats({0, 0, 0.1F, 0.1F, 1, 1, 0.9F, 0.9F}), Tensor(),
                                      ints({x.dim(0), x.dim(1), height, width})};
  const Tensor out = run_op("Resize", inputs, attributes)[0];
  expect_same(run_op("Resize", inputs, attributes, 1, 2)[0], out);
  expect_same(run_op("Resize", {channels_last(x), inputs[1], inputs[2], inputs[3]}, attributes, 1, 2)[0], out);
  const double sy = static_cast<double>(height) / static_cast<double>(x.dim(2));
  const double sx = static_cast<double>(width) / static_cast<double>(x.dim(3));
  for (int64_t plane = 0; plane < x.dim(0) * x.dim(1); ++plane) {
    std::vector<std::vector<double>> rows;
    for (int64_t i = 0; i < x.dim(2); ++i) {
      std::vector<double> row;
      for (int64_t j = 0; j < x.dim(3); ++j) {
        row.push_back(x.data<float>()[static_cast<size_t>((plane * x.dim(2) + i) * x.dim(3) + j)]);
      }
      rows.push_back(interpolate(row, width, sx, mode, cubic, antialias, exclude));
    }
    for (int64_t j = 0; j < width; ++j) {
      std::vector<double> column;
      for (const auto& row : rows) column.push_back(row[static_cast<size_t>(j)]);
      column = interpolate(column, height, sy, mode, cubic, antialias, exclude);
      for (int64_t i = 0; i < height; ++i) {
        const float got = out.data<float>()[static_cast<size_t>((plane * height + i) * width + j)];
        ASSERT_NEAR(got, column[static_cast<size_t>(i)], 1e-5) << mode << " " << i << "," << j;
      }
    }
  }
}

TEST(Resize, EveryModeAgreesWithItsDefinition) {
  const Tensor x = random_tensor({2, 3, 7, 10}, 1);
  for (const std::string& mode : kModes) {
    for (const auto& [height, width] : {std::pair<int64_t, int64_t>{14, 20}, {5, 3}, {13, 4}, {7, 17}}) {
      for (int bits = 0; bits < 8; ++bits) {
        expect_near_definition(x, height, width, mode, (bits & 1) != 0, (bits & 2) != 0, (bits & 4) != 0);
      }
    }
  }
}

TEST(Resize, ThreeSpatialAxesAreSeparable) {
  const Tensor x = random_tensor({1, 2, 3, 4, 5}, 2);
  const AttributeList linear = {{"mode", std::string("linear")}};
  const Tensor whole = resize_to(x, {1, 2, 6, 5, 9}, linear);
  expect_same(resize_to(channels_last(x), {1, 2, 6, 5, 9}, linear), whole);
  expect_same(resize_to(resize_to(x, {1, 2, 6, 4, 5}, linear), {1, 2, 6, 5, 9}, linear), whole);
}

TEST(Resize, RejectsBadArguments) {
  const Tensor x = counting<float>({1, 1, 2, 2});
  const auto error = [&](const Tensor& scales, const Tensor& sizes, const AttributeList& attributes = {}) {
    return error_of("Resize", {x, Tensor(), scales, sizes}, attributes);
  };
  constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
  EXPECT_EQ(error(Tensor(), Tensor()), ErrorCode::kInvalidModel);
  EXPECT_EQ(error(floats({1, 1, 2, 2}), ints({1, 1, 4, 4})), ErrorCode::kInvalidModel);
  EXPECT_EQ(error(floats({1, 2}), Tensor()), ErrorCode::kInvalidModel);
  EXPECT_EQ(error(floats({1, 1, 2, 0}), Tensor()), ErrorCode::kInvalidArgument);
  EXPECT_EQ(error(floats({1, 1, 2, -1}), Tensor()), ErrorCode::kInvalidArgument);
  EXPECT_EQ(error(floats({1, 1, 2, kNan}), Tensor()), ErrorCode::kInvalidArgument);
  EXPECT_EQ(error(floats({1, 1, 2, 1e30F}), Tensor()), ErrorCode::kInvalidArgument);
  EXPECT_EQ(error(Tensor(), ints({1, 1, -2, 2})), ErrorCode::kInvalidArgument);
  EXPECT_EQ(error(Tensor(), ints({1, 1, int64_t{1} << 40, 2})), ErrorCode::kInvalidArgument);
  EXPECT_EQ(error(Tensor(), ints({1 << 30, 1 << 30, 1 << 30, 2})), ErrorCode::kResourceExhausted);
  EXPECT_EQ(error(Tensor(), ints({4, 4}), {{"axes", std::vector<int64_t>{2, 4}}}), ErrorCode::kInvalidModel);
  for (const char* key : {"mode", "nearest_mode", "coordinate_transformation_mode", "keep_aspect_ratio_policy"}) {
    EXPECT_EQ(error(Tensor(), ints({1, 1, 4, 4}), {{key, std::string("other")}}), ErrorCode::kInvalidModel) << key;
  }
}

}  // namespace
}  // namespace twofold::testing
