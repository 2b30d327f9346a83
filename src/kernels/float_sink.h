// Where accumulators go that are not requantized by the kernels themselves.
#ifndef TWOFOLD_SRC_KERNELS_FLOAT_SINK_H_
#define TWOFOLD_SRC_KERNELS_FLOAT_SINK_H_

#include <cstdint>

namespace twofold::kernels {

// Takes a product as float32, block by block while it is in the cache, and makes of it what it likes.
class FloatSink {
 public:
  virtual ~FloatSink() = default;
  // Elements (row + r, column + c) of the product for r < rows, c < columns: a dense block that may be changed. Every
  // element comes once, in any order, from several threads at once.
  virtual void take(float* block, int64_t row, int64_t rows, int64_t column, int64_t columns) const = 0;
};

}  // namespace twofold::kernels

#endif  // TWOFOLD_SRC_KERNELS_FLOAT_SINK_H_
