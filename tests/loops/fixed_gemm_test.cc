#include "loops/fixed_gemm.h"

#include <gtest/gtest.h>

#include <cstring>
#include <random>
#include <vector>

#include "base/parallel_for.h"
#include "loops/matmul_loop.h"
#include "numeric/for_each_target.h"

namespace twofold {
namespace {

template <typename T>
std::vector<T> drawn(int64_t n, uint32_t seed) {
  std::mt19937 random(seed);
  std::vector<T> values(static_cast<size_t>(n));
  for (T& value : values) {
    const auto bits = static_cast<int32_t>(random());
    value = std::is_integral_v<T> ? static_cast<T>(bits) : static_cast<T>(bits) / static_cast<T>(7e8);
  }
  return values;
}

// The bits of sums in the order of k, whatever tiles the numbers lie in.
template <typename T>
void expect_order_of_k() {
  for (const int64_t m : {0, 1, 3, 4, 5, 9}) {
    for (const int64_t n : {1, 15, 31, 32, 33, 63, 64, 65, 97, 130}) {
      for (const int64_t k : {0, 1, 2, 19}) {
        const std::vector<T> a = drawn<T>(m * k, 1), b = drawn<T>(k * n, 2);
        std::vector<T> c(static_cast<size_t>(m * n), T{7}), expected = c;
        multiply_loop<T>(m, n, k, {a.data(), k, 1}, {b.data(), n, 1}, expected.data(), n, 1);
        fixed_gemm<T>(m, n, k, a.data(), b.data(), c.data());
        ASSERT_TRUE(c.empty() || std::memcmp(c.data(), expected.data(), c.size() * sizeof(T)) == 0)
            << m << " x " << k << " by " << n;
      }
    }
  }
}

TEST(FixedGemm, AddsUpInTheOrderOfK) {
  testing::for_each_target([](const char* target) {
    SCOPED_TRACE(target);
    for (const int threads : {1, 2}) {
      const ThreadScope scope(threads);
      expect_order_of_k<float>();
      expect_order_of_k<double>();
      expect_order_of_k<int32_t>();
      expect_order_of_k<int64_t>();
    }
  });
}

}  // namespace
}  // namespace twofold
