// The kernels of depthwise convolution, for all instruction sets; see skeleton.h.
#ifndef TWOFOLD_SRC_KERNELS_DEPTHWISE_SKELETON_H_
#define TWOFOLD_SRC_KERNELS_DEPTHWISE_SKELETON_H_

#include <cstddef>
#include <cstdint>

#include "kernels/micro_kernels.h"

namespace twofold::kernels {
namespace {

// How channels become cells. `load` brings a tap's channels, in the order that makes interleaved ones lie in place.
template <typename V>
struct QuadChannels {
  using I32 = typename V::I32;
  static constexpr int kTaps = 4;

  static I32 load(const std::byte* from, int channels, I32 flip) {
    constexpr int kWhole = 4 * V::kLanes;
    return V::spread_4(V::bit_xor(channels == kWhole ? V::load_bytes(from) : V::load_partial(from, channels), flip));
  }
  static I32 flip(uint32_t bits) { return V::broadcast(static_cast<int32_t>(bits * 0x01010101U)); }
  static void interleave(const I32* taps, I32* cells) { V::interleave_4(taps[0], taps[1], taps[2], taps[3], cells); }
};

enum class Source { kS8, kU8, k16 };

template <typename V, Source kSource>
struct PairChannels {
  using I32 = typename V::I32;
  static constexpr int kTaps = 2;

  static I32 load(const std::byte* from, int channels, I32 flip) {
    constexpr int kWhole = 2 * V::kLanes;
    if constexpr (kSource == Source::k16) {
      return V::spread_2(
          V::bit_xor(channels == kWhole ? V::load_bytes(from) : V::load_partial(from, 2 * channels), flip));
    } else {
      return V::spread_2(V::template widen<kSource == Source::kS8>(from, channels));
    }
  }
  static I32 flip(uint32_t bits) { return V::broadcast(static_cast<int32_t>(bits * 0x00010001U)); }
  static void interleave(const I32* taps, I32* cells) { V::interleave_2(taps[0], taps[1], cells); }
};

// Interleaves kPresent taps and zeros; the cells of the first kVectors vectors of channels go to `to`.
template <typename V, typename Channels, bool kHigh, int kBias, int kVectors, int kPresent>
[[gnu::always_inline]] inline void make_cell(const std::byte* const* taps, std::ptrdiff_t offset, int channels,
                                             const typename V::I32& flip, std::byte* to, std::byte* high) {
  typename V::I32 tap[Channels::kTaps], cells[Channels::kTaps];
#pragma GCC unroll 4
  for (int t = 0; t < Channels::kTaps; ++t)
    tap[t] = t < kPresent ? Channels::load(taps[t < kPresent ? t : 0] + offset, channels, flip) : V::broadcast(0);
  Channels::interleave(tap, cells);
#pragma GCC unroll 4
  for (int v = 0; v < kVectors; ++v) {
    V::store_cells(to + v * V::kLanes * 4, cells[v]);
    if constexpr (kHigh) {
      // high_bytes has a bias of 128.
      const typename V::I32 unbias = V::broadcast(static_cast<int32_t>((128U - kBias) * 0x00010001U));
      V::store_cells(high + v * V::kLanes * 4, V::sub_words(V::high_bytes(cells[v]), unbias));
    }
  }
}

// Interleaves the taps of all columns, kLast of them in the last cell of each. (Fields are copied first: the compiler
// would read them again after every store of bytes, which might be theirs.)
template <typename V, typename Channels, bool kHigh, int kBias, int kVectors, int kLast>
void make_cells(const DepthwiseStrip& strip) {
  constexpr int kTaps = Channels::kTaps;
  constexpr std::ptrdiff_t kCell = kVectors * V::kLanes * 4;
  const typename V::I32 flip = Channels::flip(strip.flip);
  const int columns = strip.columns, whole_cells = (strip.rows - kLast) / kTaps;
  const std::ptrdiff_t offset = strip.offset;
  // A constant where the compiler knows it.
  const int channels = strip.channels == kTaps * V::kLanes ? kTaps * V::kLanes : strip.channels;
  const std::byte* const* taps = strip.taps;
  std::byte *to = strip.cells, *high = strip.high_cells;
  for (int column = 0; column < columns; ++column) {
    for (int cell = 0; cell < whole_cells; ++cell) {
      make_cell<V, Channels, kHigh, kBias, kVectors, kTaps>(taps, offset, channels, flip, to, high);
      taps += kTaps;
      to += kCell;
      high += kHigh ? kCell : 0;
    }
    make_cell<V, Channels, kHigh, kBias, kVectors, kLast>(taps, offset, channels, flip, to, high);
    taps += kLast;
    to += kCell;
    high += kHigh ? kCell : 0;
  }
}

// Sums over a window of three columns of kCells cells, so few that the weights stay in registers; of any, if kCells is
// 0.
template <typename V, typename Dot, int kVectors, int kCells>
void sum_windows(const DepthwiseStrip& strip, int cells, const std::byte* columns, const std::byte* weights,
                 const int32_t* init, int32_t* out) {
  using I32 = typename V::I32;
  constexpr std::ptrdiff_t kCell = kVectors * V::kLanes * 4;
  I32 start[kVectors];
#pragma GCC unroll 4
  for (int v = 0; v < kVectors; ++v) start[v] = init == nullptr ? V::broadcast(0) : V::load(init + v * V::kLanes);
  constexpr int kWeights = 3 * kCells * kVectors;
  I32 weight[kCells == 0 ? 1 : kWeights];
  if constexpr (kCells > 0) {
#pragma GCC unroll 16
    for (int i = 0; i < kWeights; ++i) weight[i] = V::load_cells(weights + i * V::kLanes * 4);
  }
  const std::ptrdiff_t column_bytes = cells * kCell, tap_bytes = strip.tap_step * column_bytes;
  const std::ptrdiff_t pixel_bytes = strip.pixel_step * column_bytes;
  const int pixels = strip.pixels, kernel = strip.kernel;
  for (int p = 0; p < pixels; ++p) {
    I32 acc[kVectors];
#pragma GCC unroll 4
    for (int v = 0; v < kVectors; ++v) acc[v] = start[v];
    const std::byte* column = columns + p * pixel_bytes;
    if constexpr (kCells > 0) {
#pragma GCC unroll 3
      for (int x = 0; x < 3; ++x) {
#pragma GCC unroll 4
        for (int i = 0; i < kCells * kVectors; ++i) {
          acc[i % kVectors] =
              Dot::dot(acc[i % kVectors], V::load_cells(column + i * V::kLanes * 4), weight[x * kCells * kVectors + i]);
        }
        column += tap_bytes;
      }
    } else {
      const std::byte* w = weights;
      for (int x = 0; x < kernel; ++x) {
        for (std::ptrdiff_t at = 0; at < column_bytes; at += kCell, w += kCell) {
#pragma GCC unroll 4
          for (int v = 0; v < kVectors; ++v) {
            const std::ptrdiff_t lane = v * V::kLanes * 4;
            acc[v] = Dot::dot(acc[v], V::load_cells(column + at + lane), V::load_cells(w + lane));
          }
        }
        column += tap_bytes;
      }
    }
#pragma GCC unroll 4
    for (int v = 0; v < kVectors; ++v) V::store(out + (p * kVectors + v) * V::kLanes, acc[v]);
  }
}

template <typename V, typename Dot, typename Channels, bool kHigh, int kBias, int kVectors>
void depthwise_strip(const DepthwiseStrip& strip) {
  switch (strip.rows % Channels::kTaps) {
    case 1: make_cells<V, Channels, kHigh, kBias, kVectors, 1>(strip); break;
    case 2: make_cells<V, Channels, kHigh, kBias, kVectors, 2>(strip); break;  // never of pairs
    case 3: make_cells<V, Channels, kHigh, kBias, kVectors, 3>(strip); break;  // never of pairs
    default: make_cells<V, Channels, kHigh, kBias, kVectors, Channels::kTaps>(strip); break;
  }
  const int cells = (strip.rows + Channels::kTaps - 1) / Channels::kTaps;
  // Cells of a column of three taps.
  constexpr int kThree = Channels::kTaps == 4 ? 1 : 2;
  const auto sum =
      strip.kernel == 3 && cells == kThree ? sum_windows<V, Dot, kVectors, kThree> : sum_windows<V, Dot, kVectors, 0>;
  sum(strip, cells, strip.cells, strip.weights, strip.init, strip.out);
  if constexpr (kHigh) sum(strip, cells, strip.high_cells, strip.high_weights, nullptr, strip.high);
}

// kBias: MicroKernels::high_bias.
template <typename V, typename Dot, typename Channels, bool kHigh = false, int kBias = 128>
void depthwise(const DepthwiseStrip& strip) {
  const int vectors = (strip.channels + V::kLanes - 1) / V::kLanes;
  if constexpr (Channels::kTaps == 4) {
    if (vectors == 4) return depthwise_strip<V, Dot, Channels, kHigh, kBias, 4>(strip);
    if (vectors == 3) return depthwise_strip<V, Dot, Channels, kHigh, kBias, 3>(strip);
  }
  if (vectors == 2) return depthwise_strip<V, Dot, Channels, kHigh, kBias, 2>(strip);
  depthwise_strip<V, Dot, Channels, kHigh, kBias, 1>(strip);
}

}  // namespace
}  // namespace twofold::kernels

#endif  // TWOFOLD_SRC_KERNELS_DEPTHWISE_SKELETON_H_
