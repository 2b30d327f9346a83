// The kernels of depthwise convolution, for all instruction sets; see skeleton.h.
#ifndef TWOFOLD_SRC_KERNELS_DEPTHWISE_SKELETON_H_
#define TWOFOLD_SRC_KERNELS_DEPTHWISE_SKELETON_H_

#include <cstddef>
#include <cstdint>

#include "kernels/micro_kernels.h"

namespace twofold::kernels {
namespace {

// The channels of four taps become quads by interleaving, so that one dot takes four taps of a channel.
template <typename V, typename Quads, bool kPartial>
void depthwise_quads_of(const DepthwiseStrip& strip) {
  using I32 = typename V::I32;
  constexpr int kGroup = 4 * V::kLanes;
  const I32 flip = V::broadcast(static_cast<int32_t>(strip.flip * 0x01010101U));
  const auto load = [&](const std::byte* tap) {
    return V::bit_xor(
        kPartial ? V::load_partial(tap + strip.offset, strip.channels) : V::load_bytes(tap + strip.offset), flip);
  };
  for (int p = 0; p < strip.pixels; ++p) {
    const std::byte* const* taps = strip.taps + p * strip.count;
    const std::byte* weights = strip.weights;
    I32 acc[4] = {V::broadcast(0), V::broadcast(0), V::broadcast(0), V::broadcast(0)};
    for (int t = 0; t < strip.count; t += 4) {
      I32 cells[4];
      V::interleave_4(load(taps[t]), load(taps[t + 1]), load(taps[t + 2]), load(taps[t + 3]), cells);
#pragma GCC unroll 4
      for (int v = 0; v < 4; ++v) acc[v] = Quads::dot(acc[v], cells[v], V::load_cells(weights + v * V::kLanes * 4));
      weights += kGroup * 4;
    }
    V::restore_order_4(acc);
#pragma GCC unroll 4
    for (int v = 0; v < 4; ++v) {
      V::store(strip.out + p * kGroup + v * V::kLanes, V::add(acc[v], V::load(strip.init + v * V::kLanes)));
    }
  }
}

template <typename V, typename Quads>
void depthwise_quads(const DepthwiseStrip& strip) {
  if (strip.channels < 4 * V::kLanes) {
    depthwise_quads_of<V, Quads, true>(strip);
  } else {
    depthwise_quads_of<V, Quads, false>(strip);
  }
}

enum class Source { kS8, kU8, k16 };

template <typename V, typename Pairs, Source kSource, bool kHigh, bool kPartial>
void depthwise_pairs_of(const DepthwiseStrip& strip) {
  using I32 = typename V::I32;
  constexpr int kGroup = 2 * V::kLanes;
  const I32 flip = V::broadcast(static_cast<int32_t>(strip.flip * 0x00010001U));
  const auto load = [&](const std::byte* tap) {
    const std::byte* from = tap + strip.offset;
    if constexpr (kSource == Source::k16) {
      return V::bit_xor(kPartial ? V::load_partial(from, 2 * strip.channels) : V::load_bytes(from), flip);
    } else {
      return V::template widen<kSource == Source::kS8>(from, kPartial ? strip.channels : kGroup);
    }
  };
  for (int p = 0; p < strip.pixels; ++p) {
    const std::byte* const* taps = strip.taps + p * strip.count;
    const std::byte *weights = strip.weights, *high_weights = strip.high_weights;
    I32 acc[2] = {V::broadcast(0), V::broadcast(0)}, high[2] = {V::broadcast(0), V::broadcast(0)};
    for (int t = 0; t < strip.count; t += 2) {
      I32 cells[2];
      V::interleave_2(load(taps[t]), load(taps[t + 1]), cells);
#pragma GCC unroll 2
      for (int v = 0; v < 2; ++v) {
        acc[v] = Pairs::dot(acc[v], cells[v], V::load_cells(weights + v * V::kLanes * 4));
        if constexpr (kHigh) {
          high[v] = Pairs::dot(high[v], V::high_bytes(cells[v]), V::load_cells(high_weights + v * V::kLanes * 4));
        }
      }
      weights += kGroup * 4;
      high_weights += kGroup * 4;
    }
    V::restore_order_2(acc);
    if constexpr (kHigh) V::restore_order_2(high);
#pragma GCC unroll 2
    for (int v = 0; v < 2; ++v) {
      V::store(strip.out + p * kGroup + v * V::kLanes, V::add(acc[v], V::load(strip.init + v * V::kLanes)));
      if constexpr (kHigh) V::store(strip.high + p * kGroup + v * V::kLanes, high[v]);
    }
  }
}

template <typename V, typename Pairs, Source kSource, bool kHigh>
void depthwise_pairs(const DepthwiseStrip& strip) {
  if (strip.channels < 2 * V::kLanes) {
    depthwise_pairs_of<V, Pairs, kSource, kHigh, true>(strip);
  } else {
    depthwise_pairs_of<V, Pairs, kSource, kHigh, false>(strip);
  }
}

}  // namespace
}  // namespace twofold::kernels

#endif  // TWOFOLD_SRC_KERNELS_DEPTHWISE_SKELETON_H_
