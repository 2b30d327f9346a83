#include "kernels/gemm.h"

#include <gtest/gtest.h>

#include "base/parallel_for.h"
#include "kernels/counting_allocator.h"
#include "kernels/reference.h"
#include "twofold/error.h"

namespace twofold::kernels {
namespace {

constexpr DType kTypes[] = {DType::kInt8, DType::kUInt8, DType::kInt16, DType::kUInt16};

// One product, with the choices that tests vary.
struct Case {
  DType a_type = DType::kInt8, b_type = DType::kInt8;
  int64_t m = 1, n = 1, k = 1;
  Fill a_fill = Fill::kRandom, b_fill = Fill::kRandom;
  int32_t a_zero = 0, b_zero = 0;
  bool a_transposed = false, b_transposed = false;
  int64_t largest_bias = 100000;
};

// All output types for accumulators of magnitude `largest`: what fits, and what saturates.
std::vector<OutputForm> all_forms(int64_t n, double largest, std::mt19937& random) {
  std::vector<OutputForm> forms;
  std::uniform_real_distribution<double> spread(0.3, 3.0);
  for (const DType dtype : kTypes) {
    OutputForm form{.dtype = dtype, .multiplier = {}, .low = lowest(dtype), .high = highest(dtype)};
    form.zero_point = is_8bit(dtype) ? 3 : 1000;
    for (int64_t c = 0; c < n; ++c)
      form.multiplier.push_back(spread(random) * (highest(dtype) - lowest(dtype)) / 2 / largest);
    forms.push_back(form);
  }
  forms.push_back({.dtype = DType::kFloat32, .multiplier = {1.0 / 3}, .zero_point = 0});
  forms.push_back({.dtype = DType::kFloat64, .multiplier = {1.0}});  // the accumulators themselves
  // Relu, and a multiplier that makes every other value a tie.
  forms.push_back({.dtype = DType::kInt8, .multiplier = {0.5}, .zero_point = -5, .low = -5, .high = 100});
  // Multipliers that repeat.
  forms.push_back(
      {.dtype = DType::kInt16, .multiplier = {0.25, 0.125, 1}, .zero_point = 0, .low = -32768, .high = 32767});
  return forms;
}

void expect_exact(const Case& c, std::mt19937& random) {
  SCOPED_TRACE(testing::Message() << to_string(current_isa()) << " " << to_string(c.a_type) << " zero " << c.a_zero
                                  << " x " << to_string(c.b_type) << " zero " << c.b_zero << ", M " << c.m << " N "
                                  << c.n << " K " << c.k << ", fills " << static_cast<int>(c.a_fill) << " "
                                  << static_cast<int>(c.b_fill));
  const Integers a = integers(c.a_type, c.m * c.k, c.a_fill, random);
  const Integers b = integers(c.b_type, c.k * c.n, c.b_fill, random);
  const MatrixView a_view = {c.a_type, a.data(), c.m, c.k, c.a_transposed ? 1 : c.k, c.a_transposed ? c.m : 1,
                             c.a_zero};
  const MatrixView b_view = {c.b_type, b.data(), c.k, c.n, c.b_transposed ? 1 : c.n, c.b_transposed ? c.k : 1,
                             c.b_zero};
  const std::vector<int64_t> bias = biases(c.n, c.largest_bias, random);
  const std::vector<int64_t> acc = reference_product(
      c.m, c.n, c.k,
      [&](int64_t i, int64_t p) { return a.get(i * a_view.row_stride + p * a_view.column_stride) - c.a_zero; },
      [&](int64_t p, int64_t j) { return b.get(p * b_view.row_stride + j * b_view.column_stride) - c.b_zero; }, bias);
  double largest = 1;
  for (const int64_t value : acc) largest = std::max(largest, std::abs(static_cast<double>(value)));

  CountingAllocator counting;
  Allocator* const allocator = random() % 2 == 0 ? &counting : nullptr;
  const PackedB packed(b_view, c.a_type, c.a_zero, {.compact = random() % 2 == 0, .allocator = allocator});
  const auto expect_outputs = [&](std::span<const OutputForm> forms) {
    const Requantizer requantizer(packed, bias, forms, allocator);
    const int64_t row_stride = c.n + 5;
    std::vector<std::vector<unsigned char>> got;
    std::vector<OutputRows> places;
    for (const OutputForm& form : forms) {
      got.emplace_back(static_cast<size_t>(c.m * row_stride) * byte_size(form.dtype), 0x5A);
      places.push_back({got.back().data(), row_stride});
    }
    gemm(MatrixRows(a_view), packed, requantizer, places);
    for (size_t i = 0; i < forms.size(); ++i) {
      ASSERT_EQ(got[i], reference_output(acc, c.n, row_stride, forms[i]))
          << "output " << i << " of " << forms.size() << ", " << to_string(forms[i].dtype);
    }
  };
  std::vector<OutputForm> forms = all_forms(c.n, largest, random);
  for (const DType dtype : kTypes) forms.push_back(near_ties(acc, c.n, dtype, dtype == DType::kInt16 ? 0 : 9, random));
  expect_outputs(forms);
  // An output that is alone has kernels of its own.
  expect_outputs(std::span(forms).subspan(random() % forms.size(), 1));
}

class GemmTest : public testing::TestWithParam<Isa> {
 protected:
  std::mt19937 random_{7};
  IsaScope scope_{GetParam()};
};

TEST_P(GemmTest, IsExactForAllTypesAndFills) {
  for (const DType a_type : kTypes) {
    for (const DType b_type : kTypes) {
      for (const Fill a_fill : kFills) {
        for (const Fill b_fill : kFills) {
          expect_exact(
              {.a_type = a_type, .b_type = b_type, .m = 7, .n = 37, .k = 67, .a_fill = a_fill, .b_fill = b_fill},
              random_);
        }
      }
    }
  }
}

TEST_P(GemmTest, IsExactForEveryShapeOfTile) {
  for (const DType b_type : {DType::kInt8, DType::kInt16}) {
    for (const int64_t n : {1, 7, 8, 9, 16, 17, 31, 33, 48, 63, 64, 65, 100, 128, 129}) {
      for (const int64_t m : {0, 1, 2, 3, 4, 5, 6, 7, 8, 11, 12, 13, 25}) {
        const int64_t k = 1 + (m * n) % 23;
        expect_exact({.a_type = b_type, .b_type = b_type, .m = m, .n = n, .k = k}, random_);
      }
    }
  }
}

// 8-bit B that meets 16-bit A, long enough to be held as bytes.
TEST_P(GemmTest, IsExactForLongColumnsOfBytes) {
  for (const DType b_type : {DType::kInt8, DType::kUInt8}) {
    for (const int64_t n : {1, 17, 33, 64, 100}) {
      for (const int64_t m : {1, 4, 7, 13}) {
        expect_exact({.a_type = DType::kInt16,
                      .b_type = b_type,
                      .m = m,
                      .n = n,
                      .k = 128 + n % 7,
                      .b_zero = b_type == DType::kInt8 ? -3 : 131},
                     random_);
      }
    }
  }
}

TEST_P(GemmTest, TakesZeroPoints) {
  const int32_t zeros8[] = {-128, -1, 0, 5, 127}, zeros16[] = {-32768, -77, 0, 32767};
  for (const DType a_type : kTypes) {
    for (const DType b_type : kTypes) {
      for (const int32_t za : is_8bit(a_type) ? std::span<const int32_t>(zeros8) : std::span<const int32_t>(zeros16)) {
        for (const int32_t zb :
             is_8bit(b_type) ? std::span<const int32_t>(zeros8) : std::span<const int32_t>(zeros16)) {
          for (const Fill fill : {Fill::kRandom, Fill::kAlternating}) {
            expect_exact(
                {.a_type = a_type,
                 .b_type = b_type,
                 .m = 5,
                 .n = 19,
                 .k = 30,
                 .b_fill = fill,
                 .a_zero = za - (lowest(a_type) == 0 ? lowest(is_8bit(a_type) ? DType::kInt8 : DType::kInt16) : 0),
                 .b_zero = zb - (lowest(b_type) == 0 ? lowest(is_8bit(b_type) ? DType::kInt8 : DType::kInt16) : 0)},
                random_);
          }
        }
      }
    }
  }
}

TEST_P(GemmTest, TakesTransposedOperands) {
  for (const DType type : kTypes) {
    for (const bool a : {false, true}) {
      for (const bool b : {false, true}) {
        expect_exact({.a_type = type, .b_type = type, .m = 14, .n = 70, .k = 301, .a_transposed = a, .b_transposed = b},
                     random_);
      }
    }
  }
}

TEST_P(GemmTest, CutsLongSums) {
  for (const DType a_type : kTypes) {
    for (const DType b_type : kTypes) {
      for (const Fill a_fill : {Fill::kLowest, Fill::kHighest, Fill::kRandom}) {
        for (const Fill b_fill : {Fill::kLowest, Fill::kHighest, Fill::kRandom}) {
          expect_exact(
              {.a_type = a_type, .b_type = b_type, .m = 3, .n = 18, .k = 1500, .a_fill = a_fill, .b_fill = b_fill},
              random_);
        }
      }
    }
  }
  // 255 * 128 * K passes 2^31 at K = 65794.
  for (const DType a_type : {DType::kInt8, DType::kUInt8}) {
    for (const int64_t k : {65792, 65796, 66000, 140000}) {
      for (const Fill fill : {Fill::kLowest, Fill::kHighest}) {
        expect_exact({.a_type = a_type, .m = 2, .n = 3, .k = k, .a_fill = fill, .b_fill = Fill::kLowest}, random_);
      }
    }
  }
}

TEST_P(GemmTest, IsExactForAnyBias) {
  for (const int64_t largest : kLargestBiases) {
    for (const DType a_type : kTypes) {
      for (const DType b_type : {DType::kInt8, DType::kInt16}) {
        for (const Fill fill : {Fill::kRandom, Fill::kLowest}) {
          expect_exact({.a_type = a_type,
                        .b_type = b_type,
                        .m = 5,
                        .n = 19,
                        .k = 33,
                        .a_fill = fill,
                        .b_fill = fill,
                        .largest_bias = largest},
                       random_);
        }
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Isas, GemmTest, testing::ValuesIn(available_isas().begin(), available_isas().end()),
                         [](const auto& test) { return std::string(to_string(test.param)); });

// Columns whose sums of |w| stand at the bound and just beyond: one chunk, two chunks.
TEST(Gemm, CutsWhereTheWeightsSaySo) {
  for (const Isa isa : available_isas()) {
    const IsaScope scope(isa);
    for (const int64_t sum : {65535, 65536}) {
      const int64_t k = 516;
      Integers a(DType::kInt16, k), b(DType::kInt8, k);
      int64_t left = sum;
      for (int64_t i = 0; i < k; ++i) {
        const int64_t w = std::min<int64_t>(left, 128);
        b.set(i, static_cast<int32_t>(-w));
        left -= w;
        a.set(i, -32768);
      }
      const PackedB packed({DType::kInt8, b.data(), k, 1, 1, 1, 0}, DType::kInt16, 0);
      EXPECT_EQ(packed.chunks(packed.panels()[0]).size(), sum == 65535 ? 1U : 2U);
      const OutputForm form{.dtype = DType::kFloat32, .multiplier = {1.0}};
      const Requantizer requantizer(packed, {}, std::span(&form, 1));
      float y = 0;
      const OutputRows place{&y, 1};
      gemm(MatrixRows({DType::kInt16, a.data(), 1, k, k, 1, 0}), packed, requantizer, std::span(&place, 1));
      EXPECT_EQ(y, static_cast<float>(32768.0 * static_cast<double>(sum)));
    }
  }
}

TEST(Gemm, GivesTheSameBitsForAnyNumberOfThreads) {
  for (const int threads : {1, 2, 3, 7}) {
    const ThreadScope scope(threads);
    std::mt19937 random(3);
    for (const DType type : {DType::kInt8, DType::kInt16}) {
      expect_exact({.a_type = type, .b_type = type, .m = 301, .n = 130, .k = 90}, random);
      expect_exact({.a_type = type, .b_type = type, .m = 1, .n = 700, .k = 400}, random);
    }
  }
}

TEST(Gemm, RefusesSumsThatDoublesCannotHold) {
  const int64_t k = (1 << 23) + 8;
  const Integers b = [] {
    std::mt19937 random(1);
    return integers(DType::kInt16, 1, Fill::kLowest, random);
  }();
  // A matrix of one element, k times.
  EXPECT_THROW(PackedB({DType::kInt16, b.data(), k, 1, 0, 0, 0}, DType::kInt16, 0), Error);
}

}  // namespace
}  // namespace twofold::kernels
