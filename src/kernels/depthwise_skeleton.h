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

// Interleaves the taps of all columns.
template <typename V, typename Channels, bool kHigh, int kVectors>
void make_cells(const DepthwiseStrip& strip) {
  using I32 = typename V::I32;
  constexpr int kTaps = Channels::kTaps;
  const I32 flip = Channels::flip(strip.flip);
  std::ptrdiff_t to = 0;
  for (int column = 0; column < strip.columns; ++column) {
    const std::byte* const* taps = strip.taps + column * strip.rows;
    for (int first = 0; first < strip.rows; first += kTaps) {
      I32 tap[kTaps], cells[kTaps];
#pragma GCC unroll 4
      for (int t = 0; t < kTaps; ++t) {
        tap[t] = first + t < strip.rows ? Channels::load(taps[first + t] + strip.offset, strip.channels, flip)
                                        : V::broadcast(0);
      }
      Channels::interleave(tap, cells);
#pragma GCC unroll 4
      for (int v = 0; v < kVectors; ++v, to += V::kLanes * 4) {
        V::store_cells(strip.cells + to, cells[v]);
        if constexpr (kHigh) V::store_cells(strip.high_cells + to, V::high_bytes(cells[v]));
      }
    }
  }
}

// Sums over a window of kernel * cells steps, the number of which is kSteps if that is not 0: then the weights stay in
// registers.
template <typename V, typename Dot, int kVectors, int kSteps>
void sum_windows(const DepthwiseStrip& strip, int cells, const std::byte* columns, const std::byte* weights,
                 const int32_t* init, int32_t* out) {
  using I32 = typename V::I32;
  constexpr std::ptrdiff_t kCell = kVectors * V::kLanes * 4;
  I32 start[kVectors];
#pragma GCC unroll 4
  for (int v = 0; v < kVectors; ++v) start[v] = init == nullptr ? V::broadcast(0) : V::load(init + v * V::kLanes);
  I32 weight[kSteps == 0 ? 1 : kSteps * kVectors];
  if constexpr (kSteps > 0) {
#pragma GCC unroll 16
    for (int i = 0; i < kSteps * kVectors; ++i) weight[i] = V::load_cells(weights + i * V::kLanes * 4);
  }
  const std::ptrdiff_t column_bytes = cells * kCell;
  for (int p = 0; p < strip.pixels; ++p) {
    I32 acc[kVectors];
#pragma GCC unroll 4
    for (int v = 0; v < kVectors; ++v) acc[v] = start[v];
    const std::byte* column = columns + p * strip.pixel_step * column_bytes;
    if constexpr (kSteps > 0) {
      // One cell per column.
#pragma GCC unroll 8
      for (int x = 0; x < kSteps; ++x) {
#pragma GCC unroll 4
        for (int v = 0; v < kVectors; ++v) {
          acc[v] = Dot::dot(acc[v], V::load_cells(column + v * V::kLanes * 4), weight[x * kVectors + v]);
        }
        column += strip.tap_step * column_bytes;
      }
    } else {
      const std::byte* w = weights;
      for (int x = 0; x < strip.kernel; ++x) {
        for (std::ptrdiff_t at = 0; at < column_bytes; at += kCell, w += kCell) {
#pragma GCC unroll 4
          for (int v = 0; v < kVectors; ++v) {
            const std::ptrdiff_t lane = v * V::kLanes * 4;
            acc[v] = Dot::dot(acc[v], V::load_cells(column + at + lane), V::load_cells(w + lane));
          }
        }
        column += strip.tap_step * column_bytes;
      }
    }
#pragma GCC unroll 4
    for (int v = 0; v < kVectors; ++v) V::store(out + (p * kVectors + v) * V::kLanes, acc[v]);
  }
}

template <typename V, typename Dot, typename Channels, bool kHigh, int kVectors>
void depthwise_strip(const DepthwiseStrip& strip) {
  make_cells<V, Channels, kHigh, kVectors>(strip);
  const int cells = (strip.rows + Channels::kTaps - 1) / Channels::kTaps;
  const auto sum =
      cells == 1 && strip.kernel == 3 ? sum_windows<V, Dot, kVectors, 3> : sum_windows<V, Dot, kVectors, 0>;
  sum(strip, cells, strip.cells, strip.weights, strip.init, strip.out);
  if constexpr (kHigh) sum(strip, cells, strip.high_cells, strip.high_weights, nullptr, strip.high);
}

template <typename V, typename Dot, typename Channels, bool kHigh = false>
void depthwise(const DepthwiseStrip& strip) {
  const int vectors = (strip.channels + V::kLanes - 1) / V::kLanes;
  if constexpr (Channels::kTaps == 4) {
    if (vectors == 4) return depthwise_strip<V, Dot, Channels, kHigh, 4>(strip);
    if (vectors == 3) return depthwise_strip<V, Dot, Channels, kHigh, 3>(strip);
  }
  if (vectors == 2) return depthwise_strip<V, Dot, Channels, kHigh, 2>(strip);
  depthwise_strip<V, Dot, Channels, kHigh, 1>(strip);
}

}  // namespace
}  // namespace twofold::kernels

#endif  // TWOFOLD_SRC_KERNELS_DEPTHWISE_SKELETON_H_
