// Requantizes sums of several products: docs/numerics.md, rule 5.
#ifndef TWOFOLD_SRC_KERNELS_WEIGHTED_SUM_H_
#define TWOFOLD_SRC_KERNELS_WEIGHTED_SUM_H_

#include <cstdint>
#include <span>

#include "kernels/block_sink.h"
#include "kernels/gemm.h"
#include "kernels/requantizer.h"

namespace twofold::kernels {

struct WeightedTerm {
  const double* sums;  // [rows, columns], dense: integers
  double weight;       // an integer
};

// outputs[i] = requantizer's output i of sum over terms of weight * sums, + bias. Threads: parallel_for. With a sink,
// the last output goes there, as from gemm. REQUIRES: weighted sums below 2^53 in magnitude, those of some of the terms
// too; `requantizer` made for `columns` columns; a place for each of its other outputs.
void requantize_weighted_sum(std::span<const WeightedTerm> terms, int64_t rows, int64_t columns,
                             const Requantizer& requantizer, std::span<const OutputRows> outputs,
                             const BlockSink* sink = nullptr);

}  // namespace twofold::kernels

#endif  // TWOFOLD_SRC_KERNELS_WEIGHTED_SUM_H_
