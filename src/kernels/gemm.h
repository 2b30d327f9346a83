// Integer matrix product with requantization: the exact form of docs/numerics.md, rules 4 and 5.
#ifndef TWOFOLD_SRC_KERNELS_GEMM_H_
#define TWOFOLD_SRC_KERNELS_GEMM_H_

#include <cstdint>
#include <span>

#include "kernels/block_sink.h"
#include "kernels/packed_b.h"
#include "kernels/requantizer.h"
#include "kernels/row_source.h"

namespace twofold::kernels {

// Where an output [M,N] goes: element (m, n) to data + m * row_stride + n, counted in elements, so that it may be a
// slice of the columns of something wider.
struct OutputRows {
  void* data = nullptr;
  int64_t row_stride = 0;
};

// outputs[i] = requantizer's output i of sum over k of (a - za)(b - zb) + bias, for A [M,K] and B [K,N]. Threads:
// parallel_for. With a sink, the last output of the requantizer, which is float32, goes there, as columns
// [first_column, first_column + N) of something wider.
// REQUIRES: a.k() == b.k(); a.dtype() the type that `b` was packed for; `requantizer` made for `b`; a place for each of
// its other outputs.
void gemm(const RowSource& a, const PackedB& b, const Requantizer& requantizer, std::span<const OutputRows> outputs,
          const BlockSink* sink = nullptr, int64_t first_column = 0);

}  // namespace twofold::kernels

#endif  // TWOFOLD_SRC_KERNELS_GEMM_H_
