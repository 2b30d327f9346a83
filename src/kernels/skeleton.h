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
#include "kernels/micro_kernels.h"

namespace twofold::kernels {
namespace {

constexpr int kCellBytes = 4;

struct NoQuads {};

template <typename V, typename Dot, int kRows, int kVectors>
void tile(const std::byte* a, std::ptrdiff_t a_stride, const std::byte* b, std::ptrdiff_t cells, const int32_t* init,
          int32_t* out) {
  using I32 = typename V::I32;
  I32 acc[kRows][kVectors];
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
    for (int v = 0; v < kVectors; ++v) bv[v] = V::load_cells(b + v * V::kLanes * kCellBytes);
    b += kVectors * V::kLanes * kCellBytes;
#pragma GCC unroll 16
    for (int r = 0; r < kRows; ++r) {
      const I32 av = V::broadcast_cell(row[r] + cell * kCellBytes);
#pragma GCC unroll 16
      for (int v = 0; v < kVectors; ++v) acc[r][v] = Dot::dot(acc[r][v], av, bv[v]);
    }
  }
#pragma GCC unroll 16
  for (int r = 0; r < kRows; ++r) {
#pragma GCC unroll 16
    for (int v = 0; v < kVectors; ++v) V::store(out + (r * kVectors + v) * V::kLanes, acc[r][v]);
  }
}

template <typename From, typename To>
void copy_row(const std::byte* source, std::ptrdiff_t n, uint32_t flip, std::byte* cells, std::byte* /*high*/) {
  const auto bits = static_cast<To>(flip);
  for (std::ptrdiff_t i = 0; i < n; ++i) {
    From value;
    __builtin_memcpy(&value, source + i * static_cast<std::ptrdiff_t>(sizeof(From)), sizeof(From));
    const auto cell = static_cast<To>(static_cast<To>(value) ^ bits);
    __builtin_memcpy(cells + i * static_cast<std::ptrdiff_t>(sizeof(To)), &cell, sizeof(To));
  }
}

template <typename High>
void copy_row_and_high(const std::byte* source, std::ptrdiff_t n, uint32_t flip, std::byte* cells, std::byte* high) {
  const auto bits = static_cast<uint16_t>(flip);
  for (std::ptrdiff_t i = 0; i < n; ++i) {
    uint16_t value;
    __builtin_memcpy(&value, source + 2 * i, sizeof(value));
    value = static_cast<uint16_t>(value ^ bits);
    const auto top = static_cast<High>((value >> 8) ^ 0x80);
    __builtin_memcpy(cells + 2 * i, &value, sizeof(value));
    __builtin_memcpy(high + i * static_cast<std::ptrdiff_t>(sizeof(High)), &top, sizeof(High));
  }
}

template <typename V>
void flush(const int32_t* acc, std::ptrdiff_t n, bool first, double* sums) {
  constexpr int kHalf = V::kLanes / 2;
  for (std::ptrdiff_t i = 0; i < n; i += V::kLanes) {
    const typename V::I32 v = V::load(acc + i);
    typename V::F64 low = V::low_half(v), high = V::high_half(v);
    if (!first) {
      low = V::add(V::load(sums + i), low);
      high = V::add(V::load(sums + i + kHalf), high);
    }
    V::store(sums + i, low);
    V::store(sums + i + kHalf, high);
  }
}

template <typename V>
void combine(const int32_t* wrapped, const int32_t* high_bytes, std::ptrdiff_t n, bool first, double* sums) {
  constexpr int kHalf = V::kLanes / 2;
  const typename V::F64 unit = V::broadcast(65536.0);
  for (std::ptrdiff_t i = 0; i < n; i += V::kLanes) {
    const typename V::I32 top = V::load(high_bytes + i);
    const typename V::I32 rest = V::sub(V::load(wrapped + i), V::shift_left_16(top));
    typename V::F64 low = V::add(V::mul(V::low_half(top), unit), V::low_half(rest));
    typename V::F64 high = V::add(V::mul(V::high_half(top), unit), V::high_half(rest));
    if (!first) {
      low = V::add(V::load(sums + i), low);
      high = V::add(V::load(sums + i + kHalf), high);
    }
    V::store(sums + i, low);
    V::store(sums + i + kHalf, high);
  }
}

// Writes the vectors of one row, whose values `at(c)` gives for columns c..c + lanes as two halves in double, times the
// multiplier. The last vector may be a part of one.
template <typename V, OutputKind kKind, typename At>
void write_row(const At& at, int columns, const TileOutput& output, std::byte* to) {
  using F64 = typename V::F64;
  constexpr int kBytes = kKind == OutputKind::kInt8 ? 1 : kKind == OutputKind::kInt16 ? 2 : 4;
  const F64 low = V::broadcast(output.low), high = V::broadcast(output.high);
  const typename V::I32 zero_point = V::broadcast(output.zero_point);
  for (int c = 0; c < columns; c += V::kLanes) {
    F64 halves[2];
    at(c, halves);
    const F64 first = V::mul(halves[0], V::load(output.multiplier + c));
    const F64 second = V::mul(halves[1], V::load(output.multiplier + c + V::kLanes / 2));
    std::byte part[V::kLanes * kBytes];
    const bool whole = c + V::kLanes <= columns;
    std::byte* place = whole ? to + c * kBytes : part;
    if constexpr (kKind == OutputKind::kFloat32) {
      V::store_f32(place, first, second);
    } else {
      const typename V::I32 q = V::add(V::round(V::clamp(first, low, high), V::clamp(second, low, high)), zero_point);
      if constexpr (kKind == OutputKind::kInt8) {
        V::store_8(place, q);
      } else {
        V::store_16(place, q);
      }
    }
    if (!whole) __builtin_memcpy(to + c * kBytes, part, static_cast<size_t>((columns - c) * kBytes));
  }
}

template <typename V, OutputKind kKind>
void int32_row(const int32_t* row, int columns, const TileOutput& output, std::byte* to) {
  const auto at = [row](int c, typename V::F64* halves) {
    const typename V::I32 v = V::load(row + c);
    halves[0] = V::low_half(v);
    halves[1] = V::high_half(v);
  };
  write_row<V, kKind>(at, columns, output, to);
}

// 8-bit outputs in float32. While |acc m| <= 256, float(acc) float(m) differs from the double product by at most
// 3 * 2^-24 * 256 (the roundings of acc, m and the product), and adding kDoubt rounds by 2^-16 more: 2^-14 in all. So
// if what lies kDoubt above and what lies kDoubt below round to the same integer, the double product does too. Else
// (near a tie: one value in thousands; many, where m is a power of two) the vectors are done again in double. Beyond
// 256 either form saturates. Returns whether it succeeded.
constexpr float kDoubt = 1.0F / 8192;

template <typename V, int kCount>
[[gnu::always_inline]] inline bool write_bytes(const int32_t* acc, const typename V::F32* multiplier,
                                               const typename V::Bounds& bounds, std::byte* to) {
  using I32 = typename V::I32;
  I32 q[4], doubt = V::broadcast(0);
#pragma GCC unroll 4
  for (int v = 0; v < kCount; ++v) {
    const typename V::F32 sum = V::to_f32(V::load(acc + v * V::kLanes));
    q[v] = V::round_scaled(sum, multiplier[v], kDoubt);
    doubt = V::or_difference(doubt, q[v], V::round_scaled(sum, multiplier[v], -kDoubt));
  }
  if (__builtin_expect(V::any(doubt), 0)) return false;
#pragma GCC unroll 4
  for (int v = kCount; v < 4; ++v) q[v] = q[0];
  const I32 words01 = V::narrow(q[0], q[1], bounds);
  V::template store_bytes<kCount>(to, words01, kCount > 2 ? V::narrow(q[2], q[3], bounds) : words01);
  return true;
}

template <typename V>
[[gnu::noinline]] void write_bytes_in_double(const int32_t* acc, int c, int columns, TileOutput output, std::byte* to) {
  output.multiplier += c;
  int32_row<V, OutputKind::kInt8>(acc, columns, output, to);
}

// Columns [c, c + kCount vectors) of a tile.
template <typename V, int kCount>
void write_byte_columns(const int32_t* acc, int c, const TileShape& shape, const TileOutput& output) {
  constexpr int kColumns = kCount * V::kLanes;
  typename V::F32 multiplier[kCount];
#pragma GCC unroll 4
  for (int v = 0; v < kCount; ++v) multiplier[v] = V::load(output.float_multiplier + c + v * V::kLanes);
  const typename V::Bounds bounds(output.zero_point, static_cast<int32_t>(output.low) + output.zero_point,
                                  static_cast<int32_t>(output.high) + output.zero_point);
  const int columns = shape.columns - c, rows = shape.rows, width = shape.width;
  const std::ptrdiff_t row_stride = output.row_stride;
  const int32_t* from = acc + c;
  std::byte* to = output.data + c;
  for (int r = 0; r < rows; ++r, from += width, to += row_stride) {
    if (columns >= kColumns) {
      if (write_bytes<V, kCount>(from, multiplier, bounds, to)) continue;
      write_bytes_in_double<V>(from, c, kColumns, output, to);
    } else {
      std::byte part[kColumns];
      if (write_bytes<V, kCount>(from, multiplier, bounds, part)) {
        __builtin_memcpy(to, part, static_cast<size_t>(columns));
      } else {
        write_bytes_in_double<V>(from, c, columns, output, to);
      }
    }
  }
}

template <typename V, OutputKind kKind>
void int32_epilogue(const int32_t* acc, const TileShape& shape, const TileOutput& output) {
  if constexpr (kKind == OutputKind::kInt8 && V::kGroup > 0) {
    if (output.float_multiplier != nullptr) {
      const int vectors = (shape.columns + V::kLanes - 1) / V::kLanes;
      for (int v = 0; v < vectors; v += V::kGroup) {
        const int c = v * V::kLanes;
        if (vectors - v == 1) {
          write_byte_columns<V, 1>(acc, c, shape, output);
        } else if (V::kGroup == 2 || vectors - v == 2) {
          write_byte_columns<V, 2>(acc, c, shape, output);
        } else if (vectors - v == 3) {
          write_byte_columns<V, V::kGroup == 4 ? 3 : 2>(acc, c, shape, output);
        } else {
          write_byte_columns<V, V::kGroup>(acc, c, shape, output);
        }
      }
      return;
    }
  }
  for (int r = 0; r < shape.rows; ++r)
    int32_row<V, kKind>(acc + r * shape.width, shape.columns, output, output.data + r * output.row_stride);
}

template <typename V, OutputKind kKind>
void double_epilogue(const double* sums, const double* offset, const double* row_offset, const TileShape& shape,
                     const TileOutput& output) {
  for (int r = 0; r < shape.rows; ++r) {
    const double* row = sums + r * shape.width;
    const typename V::F64 of_row = V::broadcast(row_offset[r]);
    const auto at = [row, offset, of_row](int c, typename V::F64* halves) {
      // Integers below 2^53: exact in any order.
      halves[0] = V::add(V::add(V::load(row + c), of_row), V::load(offset + c));
      const int second = c + V::kLanes / 2;
      halves[1] = V::add(V::add(V::load(row + second), of_row), V::load(offset + second));
    };
    write_row<V, kKind>(at, shape.columns, output, output.data + r * output.row_stride);
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
  k.copy_8_to_8 = copy_row<uint8_t, uint8_t>;
  k.copy_s8_to_16 = copy_row<int8_t, int16_t>;
  k.copy_u8_to_16 = copy_row<uint8_t, int16_t>;
  k.copy_16_to_16 = copy_row<uint16_t, uint16_t>;
  if constexpr (kSame<Quads, NoQuads>) {
    k.copy_16_to_16_and_high = copy_row_and_high<uint16_t>;
  } else {
    k.has_quads = true;
    k.quads_take_unsigned = Quads::kUnsigned;
    fill_tiles<V, Quads, Shape>(k.quads);
    k.copy_16_to_16_and_high = copy_row_and_high<uint8_t>;
    k.depthwise_quads = depthwise<V, Quads, QuadChannels<V>>;
  }
  k.depthwise_pairs_s8 = depthwise<V, Pairs, PairChannels<V, Source::kS8>>;
  k.depthwise_pairs_u8 = depthwise<V, Pairs, PairChannels<V, Source::kU8>>;
  k.depthwise_pairs_16 = depthwise<V, Pairs, PairChannels<V, Source::k16>>;
  k.depthwise_pairs_16_and_high = depthwise<V, Pairs, PairChannels<V, Source::k16>, true>;
  k.flush = flush<V>;
  k.combine = combine<V>;
  k.int32_epilogue[0] = int32_epilogue<V, OutputKind::kInt8>;
  k.int32_epilogue[1] = int32_epilogue<V, OutputKind::kInt16>;
  k.int32_epilogue[2] = int32_epilogue<V, OutputKind::kFloat32>;
  k.double_epilogue[0] = double_epilogue<V, OutputKind::kInt8>;
  k.double_epilogue[1] = double_epilogue<V, OutputKind::kInt16>;
  k.double_epilogue[2] = double_epilogue<V, OutputKind::kFloat32>;
  return k;
}

}  // namespace
}  // namespace twofold::kernels

#endif  // TWOFOLD_SRC_KERNELS_SKELETON_H_
