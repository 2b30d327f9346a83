// Dots and requantization in one, for all instruction sets; see skeleton.h.
//
// A core that takes several instructions at a time works on the dots of one tile while it requantizes the one before,
// if they are near enough to each other. So these tiles are small, and their sums stay in registers. Each load of B
// serves few rows; where that is slower than what is gained, kMaxFusedCells bounds the length of the dots.
#ifndef TWOFOLD_SRC_KERNELS_FUSED_SKELETON_H_
#define TWOFOLD_SRC_KERNELS_FUSED_SKELETON_H_

#include <cstddef>
#include <cstdint>

#include "kernels/micro_kernels.h"
#include "kernels/requantize_skeleton.h"
#include "kernels/tile_skeleton.h"

namespace twofold::kernels {
namespace {

// The sums of kRows rows, of one pass of dots.
template <typename V, typename Dot, int kRows, int kVectors>
struct SumsOfOnePass {
  typename V::I32 acc[kRows][kVectors];

  [[gnu::always_inline]] void compute(const FusedRows& rows, const std::byte* a, const std::byte* /*high*/) {
    sum_cells<V, Dot, kRows, kVectors>(a, rows.a_stride, rows.b, rows.cells, rows.start, acc);
  }
  [[gnu::always_inline]] RegisterSums<V> row(int r) const { return {acc[r]}; }
};

// Of two, as Product::kPairsAndHighBytes has it.
template <typename V, typename Pairs, typename High, int kRows, int kVectors>
struct SumsOfTwoPasses {
  typename V::I32 wrapped[kRows][kVectors], high[kRows][kVectors];

  [[gnu::always_inline]] void compute(const FusedRows& rows, const std::byte* a, const std::byte* high_a) {
    sum_cells<V, High, kRows, kVectors>(high_a, rows.high_stride, rows.high_b, rows.high_cells, rows.high_start, high);
    sum_cells<V, Pairs, kRows, kVectors>(a, rows.a_stride, rows.b, rows.cells, rows.start, wrapped);
  }
  [[gnu::always_inline]] RegisterHighByteSums<V> row(int r) const { return {wrapped[r], high[r]}; }
};

template <typename V, typename Dot>
struct OnePass {
  static constexpr int kPasses = 1;
  template <int kRows, int kVectors>
  using Of = SumsOfOnePass<V, Dot, kRows, kVectors>;
};
template <typename V, typename Pairs, typename High>
struct TwoPasses {
  static constexpr int kPasses = 2;
  template <int kRows, int kVectors>
  using Of = SumsOfTwoPasses<V, Pairs, High, kRows, kVectors>;
};

template <int kRows, typename Sums, typename Writer>
[[gnu::always_inline]] inline void fused_tile(const FusedRows& rows, const Writer& writer, const std::byte* a,
                                              const std::byte* high_a, std::byte* to, std::ptrdiff_t to_stride) {
  Sums sums;
  sums.compute(rows, a, high_a);
#pragma GCC unroll 8
  for (int r = 0; r < kRows; ++r) writer.write(sums.row(r), rows.columns, to + r * to_stride);
}

// `Sums`: OnePass or TwoPasses of any number of rows.
template <typename V, typename Sums, int kVectors, typename Writer>
void fused_rows(const FusedRows& rows, const TileOutput& output) {
  constexpr int kRows = V::kFusedSums / kVectors;
  const FusedRows part = rows;  // which no store changes
  const Writer writer(output);
  const std::ptrdiff_t stride = output.row_stride, a_stride = part.a_stride, high_stride = part.high_stride;
  std::byte* to = output.data;
  const std::byte *a = part.a, *high = part.high_a;
  int64_t left = part.rows;
  for (; left >= kRows; left -= kRows, a += kRows * a_stride, high += kRows * high_stride, to += kRows * stride)
    fused_tile<kRows, typename Sums::template Of<kRows, kVectors>>(part, writer, a, high, to, stride);
  for (; left > 0; --left, a += a_stride, high += high_stride, to += stride)
    fused_tile<1, typename Sums::template Of<1, kVectors>>(part, writer, a, high, to, stride);
}

template <typename V, typename Sums, int kVectors>
void fused_words(const FusedRows& rows, const TileOutput& output) {
  if (is_plain(output)) {
    fused_rows<V, Sums, kVectors, WordRows<V, kVectors, true>>(rows, output);
  } else {
    fused_rows<V, Sums, kVectors, WordRows<V, kVectors, false>>(rows, output);
  }
}

template <typename V, typename Sums, typename Shape, int kVectors = kMaxTileVectors>
constexpr void fill_fused(FusedKernel (*kernels)[kMaxTileVectors]) {
  if constexpr (V::kFusedSums > 0 && Shape::kRows[kVectors - 1] > 0) {
    if constexpr (Sums::kPasses == 1) {
      kernels[static_cast<int>(OutputKind::kInt8)][kVectors - 1] = fused_rows<V, Sums, kVectors, ByteRows<V, kVectors>>;
    }
    kernels[static_cast<int>(OutputKind::kInt16)][kVectors - 1] = fused_words<V, Sums, kVectors>;
    kernels[static_cast<int>(OutputKind::kFloat32)][kVectors - 1] =
        fused_rows<V, Sums, kVectors, FloatRows<V, kVectors>>;
  }
  if constexpr (kVectors > 1) fill_fused<V, Sums, Shape, kVectors - 1>(kernels);
}

}  // namespace
}  // namespace twofold::kernels

#endif  // TWOFOLD_SRC_KERNELS_FUSED_SKELETON_H_
