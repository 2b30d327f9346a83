// The kernels, written once for all instruction sets. A file isa_*.cc, compiled with its instruction set's flags,
// instantiates `make_micro_kernels` with
//   V      the vector operations (vector_*.h);
//   Pairs  `static I32 dot(I32 acc, I32 a, I32 b)`: acc + a.k0 b.k0 + a.k1 b.k1 on int16 pairs, modulo 2^32;
//   Quads  the same on 8-bit quads, and `kUnsigned`: whether those of a are uint8; `NoQuads` where there are none.
// Everything here has internal linkage and calls nothing outside (micro_kernels.h says why).
#ifndef TWOFOLD_SRC_KERNELS_SKELETON_H_
#define TWOFOLD_SRC_KERNELS_SKELETON_H_

#include <cstddef>
#include <cstdint>

#include "kernels/depthwise_skeleton.h"
#include "kernels/fused_skeleton.h"
#include "kernels/micro_kernels.h"
#include "kernels/pack_skeleton.h"
#include "kernels/requantize_skeleton.h"
#include "kernels/tile_skeleton.h"

namespace twofold::kernels {
namespace {

struct NoQuads {};

// Each word of type T of the rows' `bytes` bytes, with bits inverted. Runs are often short (a line of a window over few
// channels), so the last word overlaps the one before rather than being made up of smaller ones.
template <typename T>
void copy_words(const RowsCopy& copy, std::ptrdiff_t bytes, T flip) {
  constexpr std::ptrdiff_t kWord = sizeof(T);
  const std::byte* from = copy.source;
  std::byte* to = copy.cells;
  const auto word_at = [&](std::ptrdiff_t at) {
    T word;
    __builtin_memcpy(&word, from + at, kWord);
    word = static_cast<T>(word ^ flip);
    __builtin_memcpy(to + at, &word, kWord);
  };
  const std::ptrdiff_t source_stride = copy.source_stride, cells_stride = copy.cells_stride;
  for (std::ptrdiff_t r = copy.rows; r > 0; --r, from += source_stride, to += cells_stride) {
    for (std::ptrdiff_t at = 0; at + kWord <= bytes; at += kWord) word_at(at);
    if (bytes % kWord != 0) word_at(bytes - kWord);
  }
}

// The same in vectors.
template <typename V>
void copy_vectors(const RowsCopy& copy, std::ptrdiff_t bytes, uint64_t flip) {
  constexpr std::ptrdiff_t kVector = V::kLanes * 4;
  const typename V::I32 bits = V::broadcast(static_cast<int32_t>(static_cast<uint32_t>(flip)));
  const std::byte* from = copy.source;
  std::byte* to = copy.cells;
  const std::ptrdiff_t source_stride = copy.source_stride, cells_stride = copy.cells_stride;
  for (std::ptrdiff_t r = copy.rows; r > 0; --r, from += source_stride, to += cells_stride) {
    for (std::ptrdiff_t at = 0; at + kVector <= bytes; at += kVector)
      V::store_bytes(to + at, V::bit_xor(V::load_bytes(from + at), bits));
    const std::ptrdiff_t last = bytes - kVector;
    if (bytes % kVector != 0) V::store_bytes(to + last, V::bit_xor(V::load_bytes(from + last), bits));
  }
}

// Elements of kBytes bytes, with the bits `flip` inverted.
template <typename V, int kBytes>
void copy_flipped(const RowsCopy& copy) {
  using Words = uint64_t __attribute__((vector_size(16)));
  const std::ptrdiff_t bytes = copy.n * kBytes;
  const uint64_t flip =
      kBytes == 1 ? copy.flip * uint64_t{0x0101010101010101} : copy.flip * uint64_t{0x0001000100010001};
  if (bytes >= V::kLanes * 4) return copy_vectors<V>(copy, bytes, flip);
  if (bytes >= 16) return copy_words<Words>(copy, bytes, Words{flip, flip});
  if (bytes >= 8) return copy_words<uint64_t>(copy, bytes, flip);
  if (bytes >= 4) return copy_words<uint32_t>(copy, bytes, static_cast<uint32_t>(flip));
  if (bytes >= 2) return copy_words<uint16_t>(copy, bytes, static_cast<uint16_t>(flip));
  copy_words<uint8_t>(copy, bytes, static_cast<uint8_t>(flip));
}

template <typename V, bool kSigned>
void copy_widened(const RowsCopy& copy) {
  constexpr int kElements = V::kLanes * 2;
  const std::byte* from = copy.source;
  std::byte* to = copy.cells;
  const std::ptrdiff_t whole = copy.n / kElements * kElements;
  const int left = static_cast<int>(copy.n - whole);
  const std::ptrdiff_t source_stride = copy.source_stride, cells_stride = copy.cells_stride;
  for (std::ptrdiff_t r = copy.rows; r > 0; --r, from += source_stride, to += cells_stride) {
    for (std::ptrdiff_t i = 0; i < whole; i += kElements)
      V::store_bytes(to + 2 * i, V::template widen<kSigned>(from + i, kElements));
    if (left > 0) V::store_partial(to + 2 * whole, V::template widen<kSigned>(from + whole, left), 2 * left);
  }
}

template <typename High, int kBias>
void high_bytes(const HighBytes& rows) {
  const std::byte* cells = rows.cells;
  std::byte* high = rows.high;
  const std::ptrdiff_t n = rows.n, stride = rows.stride, high_stride = rows.high_stride;
  for (std::ptrdiff_t r = rows.rows; r > 0; --r, cells += stride, high += high_stride) {
    for (std::ptrdiff_t i = 0; i < n; ++i) {
      uint16_t value;
      __builtin_memcpy(&value, cells + 2 * i, sizeof(value));
      const auto top = static_cast<High>((value >> 8) ^ kBias);
      __builtin_memcpy(high + i * static_cast<std::ptrdiff_t>(sizeof(High)), &top, sizeof(High));
    }
  }
}

template <typename V>
[[gnu::always_inline]] inline void add_halves(const typename V::F64* halves, bool first, double* sums) {
  for (int h = 0; h < 2; ++h) {
    double* to = sums + h * V::kLanes / 2;
    V::store(to, first ? halves[h] : V::add(V::load(to), halves[h]));
  }
}

template <typename V>
void flush(const int32_t* acc, std::ptrdiff_t n, bool first, double* sums) {
  for (std::ptrdiff_t i = 0; i < n; i += V::kLanes) {
    typename V::F64 halves[2];
    V::load_halves(acc + i, halves);
    add_halves<V>(halves, first, sums + i);
  }
}

template <typename V>
void combine(const int32_t* wrapped, const int32_t* high_bytes, std::ptrdiff_t n, bool first, double* sums) {
  for (std::ptrdiff_t i = 0; i < n; i += V::kLanes) {
    typename V::F64 halves[2];
    V::load_halves(wrapped + i, high_bytes + i, halves);
    add_halves<V>(halves, first, sums + i);
  }
}

template <typename A, typename B>
inline constexpr bool kSame = false;
template <typename A>
inline constexpr bool kSame<A, A> = true;

template <typename V, typename Pairs, typename Quads, typename Shape>
constexpr MicroKernels make_micro_kernels() {
  MicroKernels k = {};
  k.lanes = V::kLanes;
  for (int v = 0; v < kMaxTileVectors; ++v) {
    k.max_rows[v] = Shape::kRows[v];
    if (Shape::kRows[v] > 0) k.max_vectors = v + 1;
  }
  fill_tiles<V, Pairs, Shape>(k.pairs);
  k.max_fused_cells = V::kMaxFusedCells;
  k.rounds_products = V::kRoundsProducts;
  fill_tiles<V, BytePairs<Pairs>, Shape>(k.byte_pairs);
  fill_fused<V, OnePass<V, Pairs>, Shape>(k.fused_pairs);
  fill_fused<V, OnePass<V, BytePairs<Pairs>>, Shape>(k.fused_byte_pairs);
  k.copy_8_to_8 = copy_flipped<V, 1>;
  k.copy_s8_to_16 = copy_widened<V, true>;
  k.copy_u8_to_16 = copy_widened<V, false>;
  k.copy_16_to_16 = copy_flipped<V, 2>;
  fill_packing<V>(k);
  if constexpr (kSame<Quads, NoQuads>) {
    k.high_bias = 128;
    k.high_bytes = high_bytes<uint16_t, 128>;
    fill_fused<V, TwoPasses<V, Pairs, Pairs>, Shape>(k.fused_high_bytes);
  } else {
    k.has_quads = true;
    k.quads_take_unsigned = Quads::kUnsigned;
    fill_tiles<V, Quads, Shape>(k.quads);
    fill_fused<V, OnePass<V, Quads>, Shape>(k.fused_quads);
    fill_fused<V, TwoPasses<V, Pairs, Quads>, Shape>(k.fused_high_bytes);
    constexpr int kBias = Quads::kUnsigned ? 128 : 0;
    k.high_bias = kBias;
    k.high_bytes = high_bytes<uint8_t, kBias>;
    fill_quad_packing<V>(k);
    k.depthwise_quads = depthwise_kernels<V, Quads, QuadChannels<V>>();
  }
  k.depthwise_pairs_s8 = depthwise_kernels<V, Pairs, PairChannels<V, Source::kS8>>();
  k.depthwise_pairs_u8 = depthwise_kernels<V, Pairs, PairChannels<V, Source::kU8>>();
  k.depthwise_pairs_s16 = depthwise_kernels<V, Pairs, PairChannels<V, Source::kS16>>();
  k.depthwise_pairs_u16 = depthwise_kernels<V, Pairs, PairChannels<V, Source::kU16>>();
  k.depthwise_split_s16 = depthwise_kernels<V, Pairs, PairChannels<V, Source::kS16>, true>();
  k.depthwise_split_u16 = depthwise_kernels<V, Pairs, PairChannels<V, Source::kU16>, true>();
  k.flush = flush<V>;
  k.combine = combine<V>;
  fill_requantize_tile<V, Int32Sums>(k.requantize_tile[static_cast<int>(SumsKind::kInt32)]);
  fill_requantize_tile<V, HighByteSums>(k.requantize_tile[static_cast<int>(SumsKind::kHighBytes)]);
  fill_requantize_tile<V, DoubleSums>(k.requantize_tile[static_cast<int>(SumsKind::kDouble)]);
  return k;
}

}  // namespace
}  // namespace twofold::kernels

#endif  // TWOFOLD_SRC_KERNELS_SKELETON_H_
