// From accumulators to outputs: rule 5 of docs/numerics.md, prepared for one right operand.
#ifndef TWOFOLD_SRC_KERNELS_REQUANTIZER_H_
#define TWOFOLD_SRC_KERNELS_REQUANTIZER_H_

#include <cstdint>
#include <span>
#include <vector>

#include "kernels/aligned_buffer.h"
#include "kernels/packed_b.h"

namespace twofold::kernels {

// One output of an accumulator that may have several.
//   int8, uint8, int16, uint16: y = clamp(round_half_even(acc * multiplier[c]) + zero_point, low, high)
//   float32:                    y = float(acc * multiplier[c])
//   float64:                    y = acc * multiplier[c]; with a multiplier of 1 the accumulator itself
struct OutputForm {
  DType dtype = DType::kFloat32;
  AlignedVector<double> multiplier;  // of the first columns; the others repeat them
  int32_t zero_point = 0;
  int32_t low = 0, high = 0;  // within the type
};

// Immutable; shareable by threads.
class Requantizer {
 public:
  struct Output {
    OutputKind kind;
    std::ptrdiff_t bytes;              // of an element
    AlignedVector<double> multiplier;  // per column, padded
    // In float32, as TileOutput has them; empty where they are not used.
    AlignedVector<float> float_multiplier, multiplier_below, multiplier_above;
    bool bounded;      // as TileOutput's
    double low, high;  // without the zero point
    int32_t zero_point;
  };

  // `bias` is empty, or has one value or one per column, in accumulator steps.
  // REQUIRES: |bias| <= 2^52; multipliers finite, one at least if there are columns. Memory that grows with the columns
  // comes from `allocator`, which must outlive it, or from the heap without one.
  Requantizer(const PackedB& b, std::span<const int64_t> bias, std::span<const OutputForm> outputs,
              Allocator* allocator = nullptr);
  // The same for `columns` columns of sums that are there in double (weighted_sum.h), of any size.
  Requantizer(int64_t columns, std::span<const int64_t> bias, std::span<const OutputForm> outputs,
              Allocator* allocator = nullptr);

  // For gemm: acc = sum + offset[c]; in int32 (starting from int32_offset) if fits_int32(). Of panels of one chunk, if
  // fits_high_bytes(), also as SumsKind::kHighBytes, where W starts from wrap_start and E from high_start.
  bool fits_int32() const { return fits_int32_; }
  bool fits_high_bytes() const { return fits_high_bytes_; }
  const double* offset() const { return offset_.data(); }
  const int32_t* int32_offset() const { return int32_offset_.data(); }
  const int32_t* wrap_start() const { return wrap_start_.data(); }
  const int32_t* high_start() const { return high_start_.data(); }
  std::span<const Output> outputs() const { return outputs_; }
  // The only output, if kernels may make it of sums in registers; else null.
  const Output* fusible_output() const;
  // Output i of the tile that begins at (row, column) of a matrix of rows `row_stride` elements apart.
  TileOutput at(size_t i, void* data, int64_t row_stride, int64_t row, int64_t column) const;
  // The last output of a tile of columns from `column` on, into a block of its own for a sink.
  TileOutput in_block(std::byte* block, int64_t row_stride, int64_t column) const;

 private:
  void add_bias(std::span<const int64_t> bias, size_t columns);
  void split_offset(const PackedB& b);
  // What no accumulator of a column exceeds in magnitude.
  double sum_limit(const PackedB& b, size_t column) const;
  void add_float_multipliers(const PackedB& b, Output& output, Allocator* allocator) const;
  TileOutput tile(size_t i, std::byte* first, int64_t row_stride, int64_t column) const;

  AlignedVector<double> offset_;
  AlignedVector<int32_t> int32_offset_, wrap_start_, high_start_;
  std::vector<Output> outputs_;
  bool fits_int32_ = true, fits_high_bytes_ = false;
};

}  // namespace twofold::kernels

#endif  // TWOFOLD_SRC_KERNELS_REQUANTIZER_H_
