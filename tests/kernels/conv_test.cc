#include "kernels/conv.h"

#include <gtest/gtest.h>

#include "base/parallel_for.h"
#include "kernels/reference.h"
#include "twofold/error.h"

namespace twofold::kernels {
namespace {

constexpr DType kTypes[] = {DType::kInt8, DType::kUInt8, DType::kInt16, DType::kUInt16};

using Case = ConvProblem;

// Writes what it takes where an output would go.
class CollectingSink final : public BlockSink {
 public:
  CollectingSink(const OutputRows& place, int64_t element_bytes) : place_(place), element_bytes_(element_bytes) {}
  void take(std::byte* block, int64_t row, int64_t rows, int64_t column, int64_t columns) const override {
    for (int64_t r = 0; r < rows; ++r) {
      std::copy_n(block + r * columns * element_bytes_, columns * element_bytes_,
                  static_cast<std::byte*>(place_.data) + ((row + r) * place_.row_stride + column) * element_bytes_);
    }
  }

 private:
  const OutputRows place_;
  const int64_t element_bytes_;
};

void expect_exact(const Case& c, std::mt19937& random) {
  SCOPED_TRACE(testing::Message() << to_string(current_isa()) << " " << to_string(c.a_type) << " x "
                                  << to_string(c.b_type) << " channels " << c.channels << " -> " << c.out_channels
                                  << " group " << c.group << " kernel " << c.window.kernel.back() << " stride "
                                  << c.window.strides.back() << " pad " << c.window.pads.front());
  int64_t pixels = c.batch, kernel = 1;
  for (const int64_t n : c.spatial) pixels *= n;
  for (const int64_t n : c.window.kernel) kernel *= n;
  const Integers a = integers(c.a_type, pixels * c.channels, c.a_fill, random);
  const Integers b = integers(c.b_type, c.out_channels * (c.channels / c.group) * kernel, c.b_fill, random);
  const std::vector<int64_t> bias = biases(c.out_channels, c.largest_bias, random);
  const std::vector<int64_t> acc = reference_conv(c, a, b, bias);
  double largest = 1;
  for (const int64_t value : acc) largest = std::max(largest, std::abs(static_cast<double>(value)));

  std::vector<OutputForm> forms;
  std::uniform_real_distribution<double> spread(0.3, 3.0);
  for (const DType dtype : kTypes) {
    OutputForm form{.dtype = dtype, .multiplier = {}, .zero_point = 7, .low = lowest(dtype), .high = highest(dtype)};
    for (int64_t m = 0; m < c.out_channels; ++m)
      form.multiplier.push_back(spread(random) * (highest(dtype) - lowest(dtype)) / 2 / largest);
    forms.push_back(form);
  }
  forms.push_back({.dtype = DType::kFloat32, .multiplier = {1.0 / 3}});
  forms.push_back({.dtype = DType::kFloat64, .multiplier = {1.0}});  // the accumulators themselves
  forms.push_back({.dtype = DType::kInt8, .multiplier = {0.5}, .low = -7, .high = 99});
  // Multipliers that repeat.
  forms.push_back({.dtype = DType::kInt8, .multiplier = {0.5, 0.25, 0.125}, .low = -99, .high = 99});
  forms.push_back({.dtype = DType::kInt16, .multiplier = {spread(random) / largest * 30000}, .low = 0, .high = 32000});
  for (const DType dtype : kTypes)
    forms.push_back(near_ties(acc, c.out_channels, dtype, dtype == DType::kInt16 ? 0 : 9, random));
  forms.push_back({.dtype = DType::kFloat32, .multiplier = {1.0 / 7}});

  const std::array<ConvAxis, 3> axes = conv_axes(c.window, c.spatial);
  // The last output goes to a sink, if wished.
  const auto expect_outputs = [&](std::span<const OutputForm> outputs, bool has_sink) {
    const Conv conv = make_conv(c, b, bias, outputs);
    const int64_t row_stride = c.out_channels + 3, rows = static_cast<int64_t>(acc.size()) / c.out_channels;
    std::vector<std::vector<unsigned char>> got;
    std::vector<OutputRows> places;
    for (const OutputForm& form : outputs) {
      got.emplace_back(static_cast<size_t>(rows * row_stride) * byte_size(form.dtype), 0x5A);
      places.push_back({got.back().data(), row_stride});
    }
    const CollectingSink sink(places.back(), static_cast<int64_t>(byte_size(outputs.back().dtype)));
    if (has_sink) places.pop_back();
    conv.run({c.a_type, a.data(), c.batch, c.spatial, c.channels, c.a_zero}, axes, places, has_sink ? &sink : nullptr);
    for (size_t i = 0; i < outputs.size(); ++i) {
      ASSERT_EQ(got[i], reference_output(acc, c.out_channels, row_stride, outputs[i]))
          << "output " << i << " of " << outputs.size() << ", " << to_string(outputs[i].dtype);
    }
  };
  expect_outputs(forms, true);
  // An output that is alone has kernels of its own.
  expect_outputs(std::span(forms).subspan(random() % forms.size(), 1), random() % 2 == 0);
}

class ConvTest : public testing::TestWithParam<Isa> {
 protected:
  std::mt19937 random_{11};
  IsaScope scope_{GetParam()};
};

// Depthwise convolutions take lines of more than 512 outputs piece by piece.
TEST_P(ConvTest, CutsLongLines) {
  for (const DType a_type : {DType::kUInt8, DType::kInt16}) {
    for (const int64_t stride : {1, 2, 3}) {
      ConvProblem c{.a_type = a_type, .spatial = {6, 513 * stride + 2}, .channels = 5, .out_channels = 5, .group = 5};
      c.window = {{3, 3}, {1, stride}, {1, 1}, {1, 1, 1, 1}};
      expect_exact(c, random_);
      c.spatial = {1030 * stride};
      c.window = {{5}, {stride}, {2}, {3, 4}};
      expect_exact(c, random_);
    }
  }
}

TEST_P(ConvTest, IsExactForAllTypes) {
  for (const DType a_type : kTypes) {
    for (const DType b_type : kTypes) {
      for (const int32_t zero : {0, 5}) {
        expect_exact({.a_type = a_type, .b_type = b_type, .a_zero = zero, .b_zero = zero}, random_);
        expect_exact({.a_type = a_type,
                      .b_type = b_type,
                      .channels = 6,
                      .out_channels = 6,
                      .group = 6,
                      .a_zero = zero,
                      .b_zero = zero},
                     random_);
      }
    }
  }
}

TEST_P(ConvTest, TakesEveryGeometry) {
  const ConvWindow windows[] = {
      {{1, 1}, {1, 1}, {1, 1}, {0, 0, 0, 0}}, {{1, 1}, {2, 2}, {1, 1}, {0, 0, 0, 0}},
      {{1, 1}, {1, 1}, {1, 1}, {1, 1, 1, 1}}, {{3, 3}, {2, 2}, {1, 1}, {1, 1, 0, 0}},
      {{3, 3}, {1, 1}, {2, 2}, {2, 2, 2, 2}}, {{2, 5}, {1, 3}, {1, 1}, {0, 4, 1, 3}},
      {{7, 9}, {1, 1}, {1, 1}, {6, 8, 6, 8}}, {{3, 4}, {2, 1}, {3, 2}, {0, 3, 2, 5}},
  };
  for (const ConvWindow& window : windows) {
    for (const DType type : {DType::kInt8, DType::kInt16}) {
      for (const int64_t batch : {1, 2}) {
        expect_exact(
            {.a_type = type, .batch = batch, .channels = 3, .out_channels = 18, .window = window, .a_zero = -4},
            random_);
        expect_exact({.a_type = type,
                      .b_type = type,
                      .batch = batch,
                      .channels = 12,
                      .out_channels = 8,
                      .group = 4,
                      .window = window,
                      .a_zero = 9},
                     random_);
        for (const int64_t channels : {1, 16, 19, 70, 131}) {
          expect_exact({.a_type = type,
                        .b_type = type,
                        .batch = batch,
                        .channels = channels,
                        .out_channels = channels,
                        .group = channels,
                        .window = window,
                        .a_zero = 9},
                       random_);
        }
        expect_exact({.a_type = type,
                      .batch = batch,
                      .channels = 5,
                      .out_channels = 15,
                      .group = 5,
                      .window = window,
                      .a_zero = 9},
                     random_);
      }
    }
  }
}

TEST_P(ConvTest, TakesOneAndThreeAxes) {
  for (const int64_t group : {1, 4}) {
    expect_exact({.spatial = {23}, .out_channels = 4, .group = group, .window = {{5}, {2}, {1}, {2, 1}}}, random_);
    expect_exact({.spatial = {4, 5, 6},
                  .out_channels = 4,
                  .group = group,
                  .window = {{2, 3, 3}, {1, 2, 1}, {1, 1, 2}, {1, 0, 2, 0, 1, 2}}},
                 random_);
  }
}

TEST_P(ConvTest, IsExactAtTheBoundsOfDepthwiseSums) {
  for (const DType a_type : kTypes) {
    for (const DType b_type : kTypes) {
      for (const Fill a_fill : {Fill::kLowest, Fill::kHighest, Fill::kAlternating}) {
        for (const Fill b_fill : {Fill::kLowest, Fill::kHighest, Fill::kAlternating}) {
          expect_exact({.a_type = a_type,
                        .b_type = b_type,
                        .spatial = {30, 30},
                        .channels = 33,
                        .out_channels = 33,
                        .group = 33,
                        .window = {{9, 11}, {7, 5}, {1, 1}, {3, 0, 3, 0}},
                        .a_fill = a_fill,
                        .b_fill = b_fill},
                       random_);
        }
      }
    }
  }
}

// 256 taps are the most that split weights serve.
TEST_P(ConvTest, IsExactForAnyNumberOfDepthwiseTaps) {
  for (const int64_t width : {1, 2, 3, 5, 16, 17}) {
    for (const Fill fill : {Fill::kRandom, Fill::kLowest}) {
      expect_exact({.a_type = DType::kInt16,
                    .b_type = DType::kInt16,
                    .spatial = {18, 33},
                    .channels = 35,
                    .out_channels = 35,
                    .group = 35,
                    .window = {{16, width}, {4, 2}, {1, 1}, {0, 0, 0, 0}},
                    .a_fill = fill,
                    .b_fill = fill},
                   random_);
    }
  }
}

TEST_P(ConvTest, IsExactForAnyBias) {
  for (const int64_t largest : kLargestBiases) {
    for (const DType a_type : {DType::kInt8, DType::kUInt16}) {
      for (const DType b_type : {DType::kInt8, DType::kInt16}) {
        for (const int64_t group : {1, 18}) {
          expect_exact({.a_type = a_type,
                        .b_type = b_type,
                        .channels = 18,
                        .out_channels = 18,
                        .group = group,
                        .a_zero = 3,
                        .largest_bias = largest},
                       random_);
        }
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Isas, ConvTest, testing::ValuesIn(available_isas().begin(), available_isas().end()),
                         [](const auto& test) { return std::string(to_string(test.param)); });

TEST(Conv, GivesTheSameBitsForAnyNumberOfThreads) {
  for (const int threads : {1, 2, 3}) {
    const ThreadScope scope(threads);
    std::mt19937 random(5);
    expect_exact({.spatial = {40, 41}, .channels = 32, .out_channels = 64}, random);
    expect_exact({.spatial = {40, 41}, .channels = 96, .out_channels = 96, .group = 96}, random);
  }
}

TEST(Conv, RefusesAWindowLargerThanTheInput) {
  std::mt19937 random(5);
  EXPECT_THROW(expect_exact({.spatial = {2, 2}, .window = {{5, 5}, {1, 1}, {1, 1}, {1, 1, 1, 1}}}, random), Error);
}

}  // namespace
}  // namespace twofold::kernels
