// A matrix written column by column.
#ifndef TWOFOLD_SRC_LOOPS_TRANSPOSE_BLOCK_H_
#define TWOFOLD_SRC_LOOPS_TRANSPOSE_BLOCK_H_

#include <cstddef>
#include <cstdint>

namespace twofold {

// A part of a matrix: rows and columns of it, and the distance from row to row where it is read and where it is
// written, in elements.
struct TransposedPart {
  int64_t rows, columns;
  int64_t in_stride, out_stride;
};

// out[c * out_stride + r] = in[r * in_stride + c] for all rows r and columns c. Elements have 1, 2, 4 or 8 bytes; `in`
// and `out` do not overlap.
void transpose_block(size_t element_size, const TransposedPart& part, const std::byte* in, std::byte* out);

}  // namespace twofold

#endif  // TWOFOLD_SRC_LOOPS_TRANSPOSE_BLOCK_H_
