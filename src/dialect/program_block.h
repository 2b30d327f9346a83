// Runs float programs on blocks of rows that stay in the cache.
#ifndef TWOFOLD_SRC_DIALECT_PROGRAM_BLOCK_H_
#define TWOFOLD_SRC_DIALECT_PROGRAM_BLOCK_H_

#include <cstddef>
#include <cstdint>
#include <span>

#include "dialect/float_program.h"

namespace twofold {

// Elements that are in the first-level cache together with the operand they meet.
inline constexpr int64_t kProgramBlock = 1024;

// Numbers that a block reads: (r, c) is element offset + r * row_stride + c * step of `data`. step: 1, or 0 with a
// row_stride of any size for one number a row.
struct BlockOperand {
  const StoredForm* form;
  const std::byte* data;
  int64_t offset, row_stride, step;
};

// Where a block of results goes: (r, c) to element offset + r * row_stride + c.
struct BlockPlace {
  const StoredForm* form;
  std::byte* data;
  int64_t offset, row_stride;
};

// Runs the program's steps on y [rows, columns], dense, in place, and stores the results. Operand i of the program is
// operands[i].
void run_block(const FloatProgram& program, float* y, int64_t rows, int64_t columns,
               std::span<const BlockOperand> operands, std::span<const BlockPlace> places);
// The same on numbers that are read from `source`.
void run_block(const FloatProgram& program, const BlockOperand& source, int64_t rows, int64_t columns,
               std::span<const BlockOperand> operands, std::span<const BlockPlace> places);

}  // namespace twofold

#endif  // TWOFOLD_SRC_DIALECT_PROGRAM_BLOCK_H_
