// Tiles of dots, for all instruction sets; see skeleton.h.
#ifndef TWOFOLD_SRC_KERNELS_TILE_SKELETON_H_
#define TWOFOLD_SRC_KERNELS_TILE_SKELETON_H_

#include <cstddef>
#include <cstdint>

#include "kernels/micro_kernels.h"

namespace twofold::kernels {
namespace {

constexpr int kCellBytes = 4;

// Pairs of B that are held as bytes.
template <typename Pairs>
struct BytePairs : Pairs {
  static constexpr bool kHoldsBytes = true;
};

// A vector of cells of B, and how many bytes that takes.
template <typename Dot>
inline constexpr bool kHoldsBytes = requires {
  Dot::kHoldsBytes;
};
template <typename V, typename Dot>
inline constexpr int kCellsBytes = V::kLanes*(kHoldsBytes<Dot> ? 2 : 4);
template <typename V, typename Dot>
[[gnu::always_inline]] inline typename V::I32 load_cells(const std::byte* from) {
  if constexpr (kHoldsBytes<Dot>) {
    return V::template widen<true>(from, V::kLanes * 2);
  } else {
    return V::load_cells(from);
  }
}

// A dot may have another form for cells of b that meet many cells of a, each the same in all lanes.
template <typename Dot, typename I32>
[[gnu::always_inline]] inline I32 arrange(const I32& b) {
  if constexpr (requires { Dot::arrange(b); }) {
    return Dot::arrange(b);
  } else {
    return b;
  }
}
template <typename Dot, typename I32>
[[gnu::always_inline]] inline I32 dot_arranged(const I32& acc, const I32& a, const I32& b) {
  if constexpr (requires { Dot::dot_arranged(acc, a, b); }) {
    return Dot::dot_arranged(acc, a, b);
  } else {
    return Dot::dot(acc, a, b);
  }
}

// The sums of a tile, in registers.
template <typename V, typename Dot, int kRows, int kVectors>
[[gnu::always_inline]] inline void sum_cells(const std::byte* a, std::ptrdiff_t a_stride, const std::byte* b,
                                             std::ptrdiff_t cells, const int32_t* init,
                                             typename V::I32 (&acc)[kRows][kVectors]) {
  using I32 = typename V::I32;
#pragma GCC unroll 16
  for (int v = 0; v < kVectors; ++v) {
    const I32 start = V::load(init + v * V::kLanes);
#pragma GCC unroll 16
    for (int r = 0; r < kRows; ++r) acc[r][v] = start;
  }
  const std::byte* row[kRows];
#pragma GCC unroll 16
  for (int r = 0; r < kRows; ++r) row[r] = a + r * a_stride;
  for (std::ptrdiff_t cell = 0; cell < cells; ++cell) {
    I32 bv[kVectors];
#pragma GCC unroll 16
    for (int v = 0; v < kVectors; ++v) bv[v] = arrange<Dot>(load_cells<V, Dot>(b + v * kCellsBytes<V, Dot>));
    b += kVectors * kCellsBytes<V, Dot>;
#pragma GCC unroll 16
    for (int r = 0; r < kRows; ++r) {
      const I32 av = V::broadcast_cell(row[r] + cell * kCellBytes);
#pragma GCC unroll 16
      for (int v = 0; v < kVectors; ++v) acc[r][v] = dot_arranged<Dot>(acc[r][v], av, bv[v]);
    }
  }
}

template <typename V, typename Dot, int kRows, int kVectors>
void tile(const std::byte* a, std::ptrdiff_t a_stride, const std::byte* b, std::ptrdiff_t cells, const int32_t* init,
          int32_t* out) {
  typename V::I32 acc[kRows][kVectors];
  sum_cells<V, Dot, kRows, kVectors>(a, a_stride, b, cells, init, acc);
#pragma GCC unroll 16
  for (int r = 0; r < kRows; ++r) {
#pragma GCC unroll 16
    for (int v = 0; v < kVectors; ++v) V::store(out + (r * kVectors + v) * V::kLanes, acc[r][v]);
  }
}

template <typename V, typename Dot, int kVectors, int kRows>
constexpr void fill_rows(TileKernel* tiles) {
  tiles[kRows - 1] = tile<V, Dot, kRows, kVectors>;
  if constexpr (kRows > 1) fill_rows<V, Dot, kVectors, kRows - 1>(tiles);
}

// `Shape` says the highest tile of each width: kRows[vectors - 1], 0 beyond the widest.
template <typename V, typename Dot, typename Shape, int kVectors = kMaxTileVectors>
constexpr void fill_tiles(TileKernel (*tiles)[kMaxTileRows]) {
  if constexpr (Shape::kRows[kVectors - 1] > 0)
    fill_rows<V, Dot, kVectors, Shape::kRows[kVectors - 1]>(tiles[kVectors - 1]);
  if constexpr (kVectors > 1) fill_tiles<V, Dot, Shape, kVectors - 1>(tiles);
}

}  // namespace
}  // namespace twofold::kernels

#endif  // TWOFOLD_SRC_KERNELS_TILE_SKELETON_H_
