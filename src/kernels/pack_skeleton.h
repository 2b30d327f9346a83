// Laying out the right operand, for all instruction sets; see skeleton.h. Mostly plain loops over columns, which the
// compiler turns into the vectors of the file's instruction set.
#ifndef TWOFOLD_SRC_KERNELS_PACK_SKELETON_H_
#define TWOFOLD_SRC_KERNELS_PACK_SKELETON_H_

#include <cstddef>
#include <cstdint>

#include "kernels/micro_kernels.h"

namespace twofold::kernels {
namespace {

constexpr int kMaxPanelWidth = kMaxTileVectors * kMaxLanes;

// How elements become cells of B: kTaps of them, of type T, as numbers of type Wide.
template <typename Element, typename Wide>
struct CellFormat {
  using T = Element;
  static constexpr int kTaps = 4 / sizeof(Wide);

  // The cell of kTaps elements, `stride` bytes apart, of which `present` are there; `fold` is taken from all.
  static uint32_t gather(const std::byte* from, std::ptrdiff_t stride, std::ptrdiff_t present, int32_t fold) {
    Wide cell[kTaps];
    for (int t = 0; t < kTaps; ++t) {
      T value = static_cast<T>(fold);
      if (t < present) __builtin_memcpy(&value, from + t * stride, sizeof(T));
      cell[t] = static_cast<Wide>(value - fold);
    }
    uint32_t bits;
    __builtin_memcpy(&bits, cell, sizeof(bits));
    return bits;
  }
};

// From rows of B whose columns are neighbours: rows are interleaved vector by vector.
template <typename V, typename Format>
void pack_from_rows(const PackSource& b, std::byte* cells) {
  using I32 = typename V::I32;
  using T = typename Format::T;
  constexpr int kTaps = Format::kTaps, kGroup = kTaps * V::kLanes;
  constexpr std::ptrdiff_t kBytes = sizeof(T);
  const I32 fold = kTaps == 4 ? V::broadcast(static_cast<int32_t>((b.fold & 0xFF) * 0x01010101U))
                              : V::broadcast(static_cast<int32_t>((b.fold & 0xFFFF) * 0x00010001U));
  const auto load = [&](const std::byte* from) {
    if constexpr (kTaps == 4) {
      return V::spread_4(V::sub_bytes(V::load_bytes(from), fold));
    } else if constexpr (kBytes == 2) {
      return V::spread_2(V::sub_words(V::load_bytes(from), fold));
    } else {
      return V::spread_2(V::sub_words(V::template widen<T(-1) < T(0)>(from, kGroup), fold));
    }
  };
  T filler[kGroup], partial[kTaps][kGroup];
  for (int c = 0; c < kGroup; ++c) filler[c] = static_cast<T>(b.fold);
  for (std::ptrdiff_t k = 0; k < b.padded_rows; k += kTaps) {
    for (int c = 0; c < b.width; c += kGroup) {
      I32 rows[kTaps], out[kTaps];
      for (int t = 0; t < kTaps; ++t) {
        const std::byte* from = reinterpret_cast<const std::byte*>(filler);
        if (k + t < b.rows && c < b.columns) {
          from = b.data + (k + t) * b.row_stride + c * kBytes;
          if (c + kGroup > b.columns) {
            __builtin_memcpy(partial[t], filler, sizeof(filler));
            __builtin_memcpy(partial[t], from, static_cast<size_t>((b.columns - c) * kBytes));
            from = reinterpret_cast<const std::byte*>(partial[t]);
          }
        }
        rows[t] = load(from);
      }
      if constexpr (kTaps == 4) {
        V::interleave_4(rows[0], rows[1], rows[2], rows[3], out);
      } else {
        V::interleave_2(rows[0], rows[1], out);
      }
      std::byte* to = cells + c * 4;
      for (int v = 0; v < kTaps && c + v * V::kLanes < b.width; ++v) V::store_cells(to + v * V::kLanes * 4, out[v]);
    }
    cells += b.width * 4;
  }
}

// From columns, or whatever strides: cell by cell, in blocks that stay in the L1 cache.
template <typename Format, bool kContiguous>
void pack_from_columns(const PackSource& b, std::byte* cells) {
  constexpr int kTaps = Format::kTaps;
  constexpr std::ptrdiff_t kBytes = sizeof(typename Format::T), kBlock = 32 * kTaps;
  const std::ptrdiff_t stride = kContiguous ? kBytes : b.row_stride, width = b.width;
  const int32_t fold = b.fold;
  for (std::ptrdiff_t k = 0; k < b.padded_rows; k += kBlock) {
    const std::ptrdiff_t end = b.padded_rows < k + kBlock ? b.padded_rows : k + kBlock;
    const std::ptrdiff_t whole_end = b.rows / kTaps * kTaps < end ? b.rows / kTaps * kTaps : end;
    for (std::ptrdiff_t c = 0; c < width; ++c) {
      std::byte* to = cells + (k / kTaps * width + c) * 4;
      std::ptrdiff_t at = k;
      if (c < b.columns) {
        const std::byte* from = b.data + c * b.column_stride + k * stride;
        for (; at < whole_end; at += kTaps, from += kTaps * stride, to += width * 4) {
          const uint32_t cell = Format::gather(from, stride, kTaps, fold);
          __builtin_memcpy(to, &cell, sizeof(cell));
        }
        if (at < end && at < b.rows) {
          const uint32_t cell = Format::gather(from, stride, b.rows - at, fold);
          __builtin_memcpy(to, &cell, sizeof(cell));
          at += kTaps;
          to += width * 4;
        }
      }
      for (; at < end; at += kTaps, to += width * 4) __builtin_memset(to, 0, 4);
    }
  }
}

template <typename V, typename Format>
void pack_cells(const PackSource& b, std::byte* cells) {
  constexpr auto kBytes = static_cast<std::ptrdiff_t>(sizeof(typename Format::T));
  if (b.column_stride == kBytes) {
    pack_from_rows<V, Format>(b, cells);
  } else if (b.row_stride == kBytes) {
    pack_from_columns<Format, true>(b, cells);
  } else {
    pack_from_columns<Format, false>(b, cells);
  }
}

inline int32_t magnitude(int32_t w) { return w < 0 ? -w : w; }
// See packed_b.h: the high part of w; the low part is nearest to 0, as far as the high one fits int8.
inline int32_t high_part(int32_t w) {
  const int32_t high = (w + 128) >> 8;
  return high > 127 ? 127 : high;
}

// Adds `each(cell, c)` over all cells of every column.
template <typename Each>
void scan(const std::byte* cells, std::ptrdiff_t count, int width, const Each& each) {
  for (std::ptrdiff_t i = 0; i < count; ++i, cells += width * 4) {
    for (int c = 0; c < width; ++c) {
      int32_t cell;
      __builtin_memcpy(&cell, cells + c * 4, sizeof(cell));
      each(cell, c);
    }
  }
}

inline int32_t element(int32_t cell, int bits, int index) {
  return static_cast<int32_t>(static_cast<uint32_t>(cell) << (32 - bits * (index + 1))) >> (32 - bits);
}

template <int kTaps>
void scan_cells(const std::byte* cells, std::ptrdiff_t count, int width, int32_t* sums, int32_t* magnitudes) {
  int32_t sum[kMaxPanelWidth] = {}, weight[kMaxPanelWidth] = {};
  scan(cells, count, width, [&](int32_t cell, int c) {
#pragma GCC unroll 4
    for (int t = 0; t < kTaps; ++t) {
      const int32_t w = element(cell, 32 / kTaps, t);
      sum[c] += w;
      weight[c] += magnitude(w);
    }
  });
  for (int c = 0; c < width; ++c) {
    sums[c] = sum[c];
    magnitudes[c] = weight[c];
  }
}

// Of pairs: the sums of the high parts, and the magnitudes of both parts.
inline void scan_parts(const std::byte* cells, std::ptrdiff_t count, int width, int32_t* sums, int32_t* magnitudes) {
  int32_t sum[kMaxPanelWidth] = {}, weight[kMaxPanelWidth] = {};
  scan(cells, count, width, [&](int32_t cell, int c) {
#pragma GCC unroll 2
    for (int t = 0; t < 2; ++t) {
      const int32_t w = element(cell, 16, t), high = high_part(w);
      sum[c] += high;
      weight[c] += magnitude(high) + magnitude(w - 256 * high);
    }
  });
  for (int c = 0; c < width; ++c) {
    sums[c] = sum[c];
    magnitudes[c] = weight[c];
  }
}

// The high parts of pairs, as pairs again or as quads (of two cells each).
template <bool kQuads>
void pack_high(const std::byte* cells, std::ptrdiff_t count, int width, std::byte* high) {
  constexpr int kStep = kQuads ? 2 : 1;
  const auto parts = [](int32_t cell, int bits, uint32_t mask) {
    return (static_cast<uint32_t>(high_part(element(cell, 16, 0))) & mask) |
           (static_cast<uint32_t>(high_part(element(cell, 16, 1))) & mask) << bits;
  };
  for (std::ptrdiff_t i = 0; i < count; i += kStep, cells += kStep * width * 4, high += width * 4) {
    for (int c = 0; c < width; ++c) {
      int32_t first, second;
      __builtin_memcpy(&first, cells + c * 4, sizeof(first));
      __builtin_memcpy(&second, cells + ((kStep - 1) * width + c) * 4, sizeof(second));
      const uint32_t packed = kQuads ? parts(first, 8, 0xFF) | parts(second, 8, 0xFF) << 16 : parts(first, 16, 0xFFFF);
      __builtin_memcpy(high + c * 4, &packed, sizeof(packed));
    }
  }
}

template <typename T>
void range_of(const std::byte* from, std::ptrdiff_t n, int32_t* low, int32_t* high) {
  T least, most;
  __builtin_memcpy(&least, from, sizeof(T));
  most = least;
  for (std::ptrdiff_t i = 0; i < n; ++i) {
    T value;
    __builtin_memcpy(&value, from + i * static_cast<std::ptrdiff_t>(sizeof(T)), sizeof(T));
    least = value < least ? value : least;
    most = value > most ? value : most;
  }
  *low = least;
  *high = most;
}

template <typename V>
constexpr void fill_packing(MicroKernels& k) {
  k.pack_pairs_s8 = pack_cells<V, CellFormat<int8_t, int16_t>>;
  k.pack_pairs_u8 = pack_cells<V, CellFormat<uint8_t, int16_t>>;
  k.pack_pairs_16 = pack_cells<V, CellFormat<uint16_t, uint16_t>>;
  k.scan_quads = scan_cells<4>;
  k.scan_pairs = scan_cells<2>;
  k.scan_parts = scan_parts;
  k.pack_high = pack_high<false>;
  k.range_s8 = range_of<int8_t>;
  k.range_u8 = range_of<uint8_t>;
  k.range_s16 = range_of<int16_t>;
  k.range_u16 = range_of<uint16_t>;
}

template <typename V>
constexpr void fill_quad_packing(MicroKernels& k) {
  k.pack_quads = pack_cells<V, CellFormat<uint8_t, uint8_t>>;
  k.pack_high = pack_high<true>;
}

}  // namespace
}  // namespace twofold::kernels

#endif  // TWOFOLD_SRC_KERNELS_PACK_SKELETON_H_
