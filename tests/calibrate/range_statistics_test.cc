#include "calibrate/range_statistics.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <random>
#include <vector>

#include "twofold/error.h"

namespace twofold {
namespace {

Tensor tensor_of(std::vector<float> values) {
  const auto n = static_cast<int64_t>(values.size());
  return Tensor::from<float>({n}, values);
}

RangeStatistics observed(const std::vector<float>& values) {
  RangeStatistics statistics(ObserveLevel::kHistogram);
  statistics.observe(tensor_of(values));
  return statistics;
}

// Numbers over many magnitudes, with zeros, ties with bin edges and negatives.
std::vector<float> varied_numbers(size_t n, uint32_t seed) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal;
  std::vector<float> values(n);
  for (float& v : values) {
    const uint32_t kind = random() % 8;
    if (kind == 0) v = 0.0F;
    if (kind == 1) v = -0.0F;
    if (kind == 2) v = std::ldexp(1.0F, static_cast<int>(random() % 20) - 15);
    if (kind == 3) v = -std::ldexp(3.0F, static_cast<int>(random() % 20) - 15);
    if (kind > 3) v = normal(random) * (random() % 1000 == 0 ? 500.0F : 1.0F);
  }
  return values;
}

TEST(RangeStatistics, CountsLandInTheBinsTheirValuesName) {
  // The largest is 4.0 < 2^3, so bins are 2^(3 - 13) wide.
  const RangeStatistics statistics = observed({0.0F, -0.0F, 4.0F, -2.0F, 0.0009765625F, 0.001F, -0.002F});
  EXPECT_EQ(statistics.count(), 7u);
  EXPECT_EQ(statistics.min(), -2.0F);
  EXPECT_EQ(statistics.max(), 4.0F);
  EXPECT_EQ(statistics.abs_max(), 4.0F);
  const Histogram& histogram = statistics.histogram();
  EXPECT_EQ(histogram.bin_width(), 0.0009765625);
  const int middle = Histogram::kBinsPerSide;
  std::vector<uint64_t> expected(Histogram::kBins);
  expected[middle] = 1;             // 0
  expected[middle - 1] = 1;         // -0
  expected[middle + 4096] = 1;      // 4
  expected[middle - 1 - 2048] = 1;  // -2
  expected[middle + 1] = 2;         // 2^-10 lies on the edge, 0.001 above it
  expected[middle - 3] = 1;         // -0.002
  EXPECT_TRUE(std::ranges::equal(histogram.counts(), expected));
  const std::vector<uint64_t> magnitudes = histogram.magnitudes();
  EXPECT_EQ(magnitudes[0], 2u);
  EXPECT_EQ(magnitudes[2], 1u);
  EXPECT_EQ(magnitudes[2048], 1u);
}

TEST(RangeStatistics, AgreesWithALoop) {
  const std::vector<float> values = varied_numbers(100003, 1);
  const RangeStatistics statistics = observed(values);
  EXPECT_EQ(statistics.min(), *std::ranges::min_element(values));
  EXPECT_EQ(statistics.max(), *std::ranges::max_element(values));
  const double width = statistics.histogram().bin_width();
  EXPECT_LT(statistics.abs_max(), width * Histogram::kBinsPerSide);
  EXPECT_GE(statistics.abs_max(), width * Histogram::kBinsPerSide / 2);
  std::vector<uint64_t> expected(Histogram::kBins);
  for (float v : values) {
    const auto bin = static_cast<size_t>(std::floor(std::fabs(static_cast<double>(v)) / width));
    ++expected[std::signbit(v) ? Histogram::kBinsPerSide - 1 - bin : Histogram::kBinsPerSide + bin];
  }
  EXPECT_TRUE(std::ranges::equal(statistics.histogram().counts(), expected));
}

TEST(RangeStatistics, AnyOrderAndSplitGiveEqualStatistics) {
  std::vector<float> values = varied_numbers(60000, 2);
  const RangeStatistics whole = observed(values);
  std::mt19937 random(3);
  for (int round = 0; round < 10; ++round) {
    std::ranges::shuffle(values, random);
    std::vector<RangeStatistics> parts(1 + random() % 5, RangeStatistics(ObserveLevel::kHistogram));
    for (size_t start = 0; start < values.size();) {
      const size_t n = std::min<size_t>(values.size() - start, 1 + random() % (random() % 2 == 0 ? 100 : 40000));
      const auto first = values.begin() + static_cast<std::ptrdiff_t>(start);
      parts[random() % parts.size()].observe(tensor_of({first, first + static_cast<std::ptrdiff_t>(n)}));
      start += n;
    }
    while (parts.size() > 1) {
      const size_t from = random() % (parts.size() - 1);
      parts[from].merge(parts.back());
      parts.pop_back();
    }
    EXPECT_EQ(parts.front(), whole) << "round " << round;
  }
}

TEST(RangeStatistics, MergingIsCommutativeAndAssociative) {
  const RangeStatistics a = observed({1e-30F, 2e-30F}), b = observed({-3e38F, 1.0F}), c = observed({0.0F, 5.0F, -5.0F});
  const auto merged = [](RangeStatistics x, const RangeStatistics& y) {
    x.merge(y);
    return x;
  };
  EXPECT_EQ(merged(a, b), merged(b, a));
  EXPECT_EQ(merged(merged(a, b), c), merged(a, merged(b, c)));
  EXPECT_NE(merged(a, c), merged(a, b));
  RangeStatistics cleared = a;
  cleared.clear();
  EXPECT_EQ(merged(cleared, c), c);
  EXPECT_EQ(merged(c, cleared), c);
}

TEST(RangeStatistics, TakesTheWholeRangeOfFloats) {
  const float huge = std::numeric_limits<float>::max(), tiny = std::numeric_limits<float>::denorm_min();
  const RangeStatistics wide = observed({huge, -huge, tiny});
  EXPECT_EQ(wide.abs_max(), huge);
  EXPECT_EQ(wide.histogram().magnitudes()[8191], 2u);
  EXPECT_EQ(wide.histogram().magnitudes()[0], 1u);
  const RangeStatistics denormal = observed({tiny, -2 * tiny, 1e-39F});
  EXPECT_EQ(denormal.max(), 1e-39F);
  EXPECT_EQ(denormal.histogram().magnitudes()[0], 3u);
  const RangeStatistics zeros = observed({0.0F, 0.0F});
  EXPECT_EQ(zeros.abs_max(), 0.0F);
  EXPECT_EQ(zeros.count(), 2u);
  const RangeStatistics negative = observed({-7.0F});
  EXPECT_EQ(negative.max(), -7.0F);
  EXPECT_EQ(negative.abs_max(), 7.0F);
}

TEST(RangeStatistics, RefusesNanInfinityAndOtherTypes) {
  const auto message = [](const Tensor& tensor) -> std::string {
    for (ObserveLevel level : {ObserveLevel::kMinMax, ObserveLevel::kHistogram}) {
      RangeStatistics statistics(level);
      try {
        statistics.observe(tensor);
      } catch (const Error& error) {
        EXPECT_EQ(error.code(), ErrorCode::kInvalidArgument);
        if (level == ObserveLevel::kHistogram) return error.what();
        continue;
      }
      return "accepted";
    }
    return "";
  };
  std::vector<float> values(70000, 1.0F);
  values[69999] = NAN;
  EXPECT_EQ(message(tensor_of(values)), "holds NaN");
  values[69999] = -NAN;
  EXPECT_EQ(message(tensor_of(values)), "holds NaN");
  values[69999] = -INFINITY;
  EXPECT_EQ(message(tensor_of(values)), "holds infinity");
  values[69999] = INFINITY;
  EXPECT_EQ(message(tensor_of(values)), "holds infinity");
  EXPECT_NE(message(Tensor::scalar<int64_t>(3)).find("int64"), std::string::npos);
}

TEST(RangeStatistics, ObservesChannelsInEveryLayout) {
  // [2,3,1,2]
  const std::vector<float> plain = {1, 2, -3, 4, 5, -6, 7, -8, 9, 10, 11, -12};
  const std::vector<float> last = {1, -3, 5, 2, 4, -6, 7, 9, 11, -8, 10, -12};
  Tensor plain_tensor(DType::kFloat32, {2, 3, 1, 2}), last_tensor(DType::kFloat32, {2, 3, 1, 2}, Layout::kChannelsLast);
  std::ranges::copy(plain, plain_tensor.mutable_data<float>().begin());
  std::ranges::copy(last, last_tensor.mutable_data<float>().begin());
  for (const Tensor& tensor : {plain_tensor, last_tensor}) {
    RangeStatistics statistics(ObserveLevel::kMinMax, true);
    statistics.observe(tensor);
    EXPECT_TRUE(std::ranges::equal(statistics.channel_min(), std::vector<float>{-8, -3, -12}));
    EXPECT_TRUE(std::ranges::equal(statistics.channel_max(), std::vector<float>{7, 10, 11}));
    RangeStatistics twice(ObserveLevel::kMinMax, true);
    twice.merge(statistics);
    EXPECT_EQ(twice, statistics);
    EXPECT_THROW(statistics.observe(Tensor(DType::kFloat32, {1})), Error);
    Tensor more(DType::kFloat32, {1, 4});
    std::ranges::fill(more.mutable_data<float>(), 0.0F);
    EXPECT_THROW(statistics.observe(more), Error);
  }
}

TEST(RangeStatistics, EmptyTensorsAddNothing) {
  RangeStatistics statistics(ObserveLevel::kHistogram, true);
  statistics.observe(Tensor(DType::kFloat32, {0, 3}));
  EXPECT_EQ(statistics.count(), 0u);
  EXPECT_EQ(statistics, RangeStatistics(ObserveLevel::kHistogram, true));
}

}  // namespace
}  // namespace twofold
