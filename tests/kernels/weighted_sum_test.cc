#include "kernels/weighted_sum.h"

#include <gtest/gtest.h>

#include "base/parallel_for.h"
#include "kernels/reference.h"

namespace twofold::kernels {
namespace {

// Collects blocks of one type in a dense matrix.
class CollectingSink final : public BlockSink {
 public:
  CollectingSink(std::vector<unsigned char>& to, int64_t width, size_t bytes) : to_(to), width_(width), bytes_(bytes) {}
  void take(std::byte* block, int64_t row, int64_t rows, int64_t column, int64_t columns) const override {
    for (int64_t r = 0; r < rows; ++r) {
      std::memcpy(to_.data() + static_cast<size_t>((row + r) * width_ + column) * bytes_,
                  block + static_cast<size_t>(r * columns) * bytes_, static_cast<size_t>(columns) * bytes_);
    }
  }

 private:
  std::vector<unsigned char>& to_;
  const int64_t width_;
  const size_t bytes_;
};

std::vector<OutputForm> all_forms(int64_t columns, std::mt19937& random) {
  std::vector<OutputForm> forms;
  std::uniform_real_distribution<double> spread(0.3, 3.0);
  for (const DType dtype : {DType::kInt8, DType::kUInt8, DType::kInt16, DType::kUInt16}) {
    OutputForm form{.dtype = dtype, .multiplier = {}, .zero_point = 3, .low = lowest(dtype), .high = highest(dtype)};
    for (int64_t c = 0; c < columns; ++c) form.multiplier.push_back(spread(random) * highest(dtype) * 0x1p-50);
    forms.push_back(form);
  }
  forms.push_back({.dtype = DType::kFloat32, .multiplier = {1.0 / 3}});
  forms.push_back({.dtype = DType::kInt8, .multiplier = {0.5}, .low = -7, .high = 99});
  return forms;
}

void expect_exact(int64_t rows, int64_t columns, std::span<const double> weights, const OutputForm& of_sink,
                  std::mt19937& random) {
  SCOPED_TRACE(testing::Message() << to_string(current_isa()) << " [" << rows << "," << columns << "], "
                                  << weights.size() << " terms");
  const std::vector<int64_t> bias = biases(columns, 1000000, random);
  std::vector<int64_t> acc;
  for (int64_t i = 0; i < rows * columns; ++i) acc.push_back(bias[static_cast<size_t>(i % columns)]);
  // 254^2 2^35 is just below 2^51. Every third row has small sums, which meet ties.
  std::uniform_int_distribution<int64_t> any(-(int64_t{1} << 35), int64_t{1} << 35), few(-3, 3);
  std::vector<std::vector<double>> sums(weights.size());
  std::vector<WeightedTerm> terms;
  for (size_t t = 0; t < weights.size(); ++t) {
    for (int64_t i = 0; i < rows * columns; ++i) {
      const int64_t value = i / columns % 3 == 0 ? few(random) : any(random);
      sums[t].push_back(static_cast<double>(value));
      acc[static_cast<size_t>(i)] += static_cast<int64_t>(weights[t]) * value;
    }
    terms.push_back({sums[t].data(), weights[t]});
  }
  std::vector<OutputForm> forms = all_forms(columns, random);
  forms.push_back(of_sink);
  const int64_t row_stride = columns + 5;
  std::vector<std::vector<unsigned char>> got;
  std::vector<OutputRows> places;
  for (const OutputForm& form : std::span(forms).first(forms.size() - 1)) {
    got.emplace_back(static_cast<size_t>(rows * row_stride) * byte_size(form.dtype), 0x5A);
    places.push_back({got.back().data(), row_stride});
  }
  std::vector<unsigned char> collected(static_cast<size_t>(rows * columns) * byte_size(of_sink.dtype));
  const CollectingSink sink(collected, columns, byte_size(of_sink.dtype));
  requantize_weighted_sum(terms, rows, columns, Requantizer(columns, bias, forms), places, &sink);
  for (size_t i = 0; i < places.size(); ++i) {
    ASSERT_EQ(got[i], reference_output(acc, columns, row_stride, forms[i])) << "output " << i;
  }
  ASSERT_EQ(collected, reference_output(acc, columns, columns, of_sink));
}

class WeightedSumTest : public testing::TestWithParam<Isa> {
 protected:
  std::mt19937 random_{5};
  IsaScope scope_{GetParam()};
};

TEST_P(WeightedSumTest, IsExactForEveryShape) {
  const std::vector<double> weights[] = {{1}, {254, 1}, {64516, 254, 254, 1}};
  for (const int threads : {1, 2}) {
    const ThreadScope scope(threads);
    for (const auto& [rows, columns] : std::vector<std::pair<int64_t, int64_t>>{
             {0, 3}, {1, 1}, {7, 1}, {200, 3}, {5, 16}, {70, 17}, {3, 64}, {130, 129}, {2, 5000}}) {
      for (const std::vector<double>& terms : weights) {
        expect_exact(rows, columns, terms, {.dtype = DType::kFloat32, .multiplier = {1.0 / 7}}, random_);
        expect_exact(rows, columns, terms,
                     {.dtype = DType::kInt16, .multiplier = {0x1p-36}, .low = -32768, .high = 32767}, random_);
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Isas, WeightedSumTest, testing::ValuesIn(available_isas().begin(), available_isas().end()),
                         [](const auto& test) { return std::string(to_string(test.param)); });

}  // namespace
}  // namespace twofold::kernels
