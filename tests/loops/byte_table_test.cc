#include "loops/byte_table.h"

#include <gtest/gtest.h>

#include <array>
#include <vector>

#include "numeric/for_each_target.h"

namespace twofold {
namespace {

TEST(ByteTable, LooksUpEveryByteAtEveryLength) {
  std::array<uint8_t, 256> table;
  for (size_t i = 0; i < 256; ++i) table[i] = static_cast<uint8_t>(i * 167 + 91);
  testing::for_each_target([&](const char* target) {
    for (size_t n = 0; n < 600; ++n) {
      std::vector<uint8_t> x(n), y(n + 1, 77);
      for (size_t i = 0; i < n; ++i) x[i] = static_cast<uint8_t>(i * 5 + n);
      look_up_bytes(table.data(), x.data(), static_cast<int64_t>(n), y.data());
      for (size_t i = 0; i < n; ++i) ASSERT_EQ(y[i], table[x[i]]) << target << ", " << i << " of " << n;
      ASSERT_EQ(y[n], 77);
    }
  });
}

TEST(ByteTable, MayBeInPlace) {
  std::array<uint8_t, 256> table;
  for (size_t i = 0; i < 256; ++i) table[i] = static_cast<uint8_t>(255 - i);
  std::vector<uint8_t> x(200, 3);
  look_up_bytes(table.data(), x.data(), 200, x.data());
  EXPECT_EQ(x, std::vector<uint8_t>(200, 252));
}

}  // namespace
}  // namespace twofold
