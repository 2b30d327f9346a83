// Where results go that are not there to be stored as they are.
#ifndef TWOFOLD_SRC_KERNELS_BLOCK_SINK_H_
#define TWOFOLD_SRC_KERNELS_BLOCK_SINK_H_

#include <cstddef>
#include <cstdint>

namespace twofold::kernels {

// Takes the last output of a product block by block, while it is in the cache, and makes of it what it likes.
class BlockSink {
 public:
  virtual ~BlockSink() = default;
  // Elements (row + r, column + c) of the output, of its type, for r < rows, c < columns: a dense block, aligned to a
  // cache line, that may be changed. Every element comes once, in any order, from several threads at once.
  virtual void take(std::byte* block, int64_t row, int64_t rows, int64_t column, int64_t columns) const = 0;
};

}  // namespace twofold::kernels

#endif  // TWOFOLD_SRC_KERNELS_BLOCK_SINK_H_
