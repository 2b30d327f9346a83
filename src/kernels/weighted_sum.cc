#include "kernels/weighted_sum.h"

#include <algorithm>
#include <array>

#include "base/check.h"
#include "base/parallel_for.h"

namespace twofold::kernels {

namespace {

// Sums that stay in the cache together with what is made of them.
constexpr int64_t kBlockSums = 1 << 12;
constexpr int64_t kMaxBlockRows = 64;
constexpr std::array<double, kMaxBlockRows> kNoRowOffset = {};

// A thread's memory, kept for the next call.
struct Scratch {
  AlignedBuffer sums, block;
};
Scratch& scratch() {
  thread_local Scratch memory;
  return memory;
}

// Row `row` of the weighted sum, and zeros up to `width`.
void add_up(std::span<const WeightedTerm> terms, int64_t row, int64_t columns, int64_t width, double* sums) {
  std::fill_n(sums, width, 0.0);
  for (const WeightedTerm& term : terms) {
    const double* from = term.sums + row * columns;
    for (int64_t c = 0; c < columns; ++c) sums[c] += term.weight * from[c];
  }
}

}  // namespace

void requantize_weighted_sum(std::span<const WeightedTerm> terms, int64_t rows, int64_t columns,
                             const Requantizer& requantizer, std::span<const OutputRows> outputs,
                             const BlockSink* sink) {
  const std::span<const Requantizer::Output> forms = requantizer.outputs();
  TWOFOLD_CHECK(outputs.size() + (sink != nullptr ? 1 : 0) == forms.size());
  const int64_t width = (columns + kMaxLanes - 1) / kMaxLanes * kMaxLanes;
  const int64_t block_rows = std::clamp<int64_t>(kBlockSums / width, 1, kMaxBlockRows);
  const MicroKernels& kernels = micro_kernels(current_isa());
  const auto& write = kernels.requantize_tile[static_cast<size_t>(SumsKind::kDouble)];
  parallel_for((rows + block_rows - 1) / block_rows, 1, [&](int64_t begin, int64_t end) {
    auto* const sums =
        reinterpret_cast<double*>(scratch().sums.at_least(static_cast<size_t>(block_rows * width) * sizeof(double)));
    for (int64_t first = begin * block_rows; first < std::min(rows, end * block_rows); first += block_rows) {
      const int64_t count = std::min(block_rows, rows - first);
      for (int64_t r = 0; r < count; ++r) add_up(terms, first + r, columns, width, sums + r * width);
      const TileSums tile = {nullptr, nullptr, sums, requantizer.offset(), kNoRowOffset.data()};
      const TileShape shape = {static_cast<int>(count), static_cast<int>(columns), static_cast<int>(width)};
      for (size_t i = 0; i < outputs.size(); ++i)
        write[static_cast<size_t>(forms[i].kind)](tile, shape,
                                                  requantizer.at(i, outputs[i].data, outputs[i].row_stride, first, 0));
      if (sink == nullptr) continue;
      std::byte* block = scratch().block.at_least(static_cast<size_t>(count * columns * forms.back().bytes));
      write[static_cast<size_t>(forms.back().kind)](tile, shape, requantizer.in_block(block, columns, 0));
      sink->take(block, first, count, 0, columns);
    }
  });
}

}  // namespace twofold::kernels
