#include "loops/transpose_block.h"

#include <gtest/gtest.h>

#include <vector>

#include "numeric/for_each_target.h"

namespace twofold {
namespace {

// Bytes that differ from their neighbours, in a block of exactly their size.
std::vector<std::byte> pattern(int64_t n) {
  std::vector<std::byte> bytes(static_cast<size_t>(n));
  for (size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<std::byte>(i * 167 + i / 251);
  return bytes;
}

void expect_transposed(int64_t element, const TransposedPart& part) {
  const std::vector<std::byte> in = pattern(((part.rows - 1) * part.in_stride + part.columns) * element);
  std::vector<std::byte> out(static_cast<size_t>(((part.columns - 1) * part.out_stride + part.rows) * element));
  std::vector<std::byte> expected = out;
  for (int64_t r = 0; r < part.rows; ++r) {
    for (int64_t c = 0; c < part.columns; ++c) {
      for (int64_t byte = 0; byte < element; ++byte) {
        expected[static_cast<size_t>((c * part.out_stride + r) * element + byte)] =
            in[static_cast<size_t>((r * part.in_stride + c) * element + byte)];
      }
    }
  }
  transpose_block(static_cast<size_t>(element), part, in.data(), out.data());
  ASSERT_EQ(out, expected) << part.rows << " x " << part.columns << " elements of " << element << " bytes, strides "
                           << part.in_stride << " and " << part.out_stride;
}

TEST(TransposeBlock, TakesEverySizeAndStride) {
  testing::for_each_target([](const char* target) {
    SCOPED_TRACE(target);
    for (const int64_t element : {1, 2, 4, 8}) {
      for (const int64_t rows : {1, 2, 3, 4, 5, 8, 15, 16, 17, 33, 64, 65, 130}) {
        for (const int64_t columns : {1, 2, 3, 4, 7, 16, 31, 32, 70, 129}) {
          expect_transposed(element, {rows, columns, columns, rows});
          expect_transposed(element, {rows, columns, columns + 3, rows + 1});
        }
      }
    }
  });
}

}  // namespace
}  // namespace twofold
