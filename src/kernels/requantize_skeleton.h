// From the sums of a tile to outputs, for all instruction sets; see skeleton.h.
#ifndef TWOFOLD_SRC_KERNELS_REQUANTIZE_SKELETON_H_
#define TWOFOLD_SRC_KERNELS_REQUANTIZE_SKELETON_H_

#include <cstddef>
#include <cstdint>

#include "kernels/micro_kernels.h"

namespace twofold::kernels {
namespace {

// Where a row's accumulators come from: at(c, halves) gives those of columns [c, c + lanes) as two halves in double.
// Integers below 2^53 all of them, so that no order of the additions matters. near(c): the same rounded to float32,
// once or twice (Requantizer says how often).
template <typename V>
struct Int32Sums {
  static constexpr SumsKind kKind = SumsKind::kInt32;
  const int32_t* row;
  explicit Int32Sums(const int32_t* sums) : row(sums) {}
  Int32Sums(const TileSums& sums, int r, int width) : row(sums.acc + r * width) {}
  void at(int c, typename V::F64* halves) const { V::load_halves(row + c, halves); }
  auto near(int c) const { return V::to_f32(V::load(row + c)); }
};

template <typename V>
struct HighByteSums {
  static constexpr SumsKind kKind = SumsKind::kHighBytes;
  const int32_t *wrapped, *high;
  HighByteSums(const TileSums& sums, int r, int width) : wrapped(sums.acc + r * width), high(sums.high + r * width) {}
  void at(int c, typename V::F64* halves) const { V::load_halves(wrapped + c, high + c, halves); }
  auto near(int c) const { return V::to_f32(V::load(wrapped + c), V::load(high + c)); }
};

// The same of sums in registers: vectors from the row's first column on.
template <typename V>
struct RegisterSums {
  const typename V::I32* acc;
  [[gnu::always_inline]] void at(int c, typename V::F64* halves) const { V::halves(acc[c / V::kLanes], halves); }
  [[gnu::always_inline]] auto near(int c) const { return V::to_f32(acc[c / V::kLanes]); }
};

template <typename V>
struct RegisterHighByteSums {
  const typename V::I32 *wrapped, *high;
  [[gnu::always_inline]] void at(int c, typename V::F64* halves) const {
    V::halves(wrapped[c / V::kLanes], high[c / V::kLanes], halves);
  }
  [[gnu::always_inline]] auto near(int c) const { return V::to_f32(wrapped[c / V::kLanes], high[c / V::kLanes]); }
};

template <typename V>
struct DoubleSums {
  static constexpr SumsKind kKind = SumsKind::kDouble;
  const double *row, *offset;
  typename V::F64 of_row;
  DoubleSums(const TileSums& sums, int r, int width)
      : row(sums.sums + r * width), offset(sums.offset), of_row(V::broadcast(sums.row_offset[r])) {}
  void at(int c, typename V::F64* halves) const {
    const int second = c + V::kLanes / 2;
    halves[0] = V::add(V::add(V::load(row + c), of_row), V::load(offset + c));
    halves[1] = V::add(V::add(V::load(row + second), of_row), V::load(offset + second));
  }
};

// The accumulators of columns [c, c + lanes) times their multipliers.
template <typename V, typename Sums>
[[gnu::always_inline]] inline void scaled(const Sums& sums, const double* multiplier, int c, typename V::F64* halves) {
  sums.at(c, halves);
  halves[0] = V::mul(halves[0], V::load(multiplier + c));
  halves[1] = V::mul(halves[1], V::load(multiplier + c + V::kLanes / 2));
}

// One row as the definition reads, any output.
template <typename V, OutputKind kKind, typename Sums>
[[gnu::always_inline]] inline void write_row(const Sums& sums, int first, int columns, const TileOutput& output,
                                             std::byte* to) {
  using F64 = typename V::F64;
  constexpr int kBytes = kKind == OutputKind::kInt8      ? 1
                         : kKind == OutputKind::kInt16   ? 2
                         : kKind == OutputKind::kFloat32 ? 4
                                                         : 8;
  const F64 low = V::broadcast(output.low), high = V::broadcast(output.high);
  const typename V::I32 zero_point = V::broadcast(output.zero_point);
  const double* multiplier = output.multiplier;
  for (int c = first; c < columns; c += V::kLanes, to += V::kLanes * kBytes) {
    F64 y[2];
    scaled<V>(sums, multiplier, c, y);
    alignas(8) std::byte part[V::kLanes * 8];
    const bool whole = c + V::kLanes <= columns;
    std::byte* place = whole ? to : part;
    if constexpr (kKind == OutputKind::kFloat64) {
      V::store(reinterpret_cast<double*>(place), y[0]);
      V::store(reinterpret_cast<double*>(place) + V::kLanes / 2, y[1]);
    } else if constexpr (kKind == OutputKind::kFloat32) {
      V::store_f32(place, y[0], y[1]);
    } else {
      const typename V::I32 q = V::add(V::round(V::clamp(y[0], low, high), V::clamp(y[1], low, high)), zero_point);
      if constexpr (kKind == OutputKind::kInt8) {
        V::store_8(place, q);
      } else {
        V::store_16(place, q);
      }
    }
    if (whole) continue;
    if constexpr (kKind == OutputKind::kFloat64) {
      __builtin_memcpy(to, part, static_cast<size_t>(columns - c) * kBytes);
    } else {
      V::store_partial(to, V::load_bytes(part), (columns - c) * kBytes);
    }
  }
}

// The same, out of the way of the fast loops that need it now and then.
template <typename V, typename Sums>
[[gnu::noinline]] void write_byte_row(const Sums& sums, int first, int columns, const TileOutput& output,
                                      std::byte* to) {
  write_row<V, OutputKind::kInt8>(sums, first, columns, output, to);
}

// 8-bit outputs in float32. While |acc m| <= 256, float(acc) float(m) differs from the double product by at most
// 3 * 2^-24 * 256 (the roundings of acc, m and the product), and adding kDoubt rounds by 2^-16 more: 2^-14 in all. So
// if what lies kDoubt above and what lies kDoubt below round to the same integer, the double product does too. Else
// (near a tie: one value in thousands; many, where m is a power of two) the vectors are done again in double. Beyond
// 256 either form saturates. Returns whether it succeeded.
constexpr float kDoubt = 1.0F / 8192;

template <typename V, int kCount>
[[gnu::always_inline]] inline bool write_bytes(const typename V::I32* acc, const typename V::F32* multiplier,
                                               const typename V::ByteBounds& bounds, std::byte* to) {
  using I32 = typename V::I32;
  I32 q[4], doubt = V::broadcast(0);
#pragma GCC unroll 4
  for (int v = 0; v < kCount; ++v) {
    const typename V::F32 sum = V::to_f32(acc[v]);
    q[v] = V::round(V::mul_add(sum, multiplier[v], kDoubt));
    doubt = V::or_difference(doubt, q[v], V::round(V::mul_add(sum, multiplier[v], -kDoubt)));
  }
  if (__builtin_expect(V::any(doubt), 0)) return false;
#pragma GCC unroll 4
  for (int v = kCount; v < 4; ++v) q[v] = q[0];
  V::template narrow_to_bytes<kCount>(to, q, bounds);
  return true;
}

// The first `columns` of them.
template <typename V, int kCount>
[[gnu::always_inline]] inline bool write_some_bytes(const typename V::I32* acc, const typename V::F32* multiplier,
                                                    const typename V::ByteBounds& bounds, int columns, std::byte* to) {
  if (columns == kCount * V::kLanes) return write_bytes<V, kCount>(acc, multiplier, bounds, to);
  std::byte part[V::kLanes * 4];
  const bool done = write_bytes<V, kCount>(acc, multiplier, bounds, part);
  if (done) V::store_partial(to, V::load_bytes(part), columns);
  return done;
}

// Columns [c, c + kCount vectors) of a tile.
template <typename V, int kCount>
void write_byte_columns(const TileSums& sums, int c, const TileShape& shape, const TileOutput& output) {
  constexpr int kColumns = kCount * V::kLanes;
  typename V::F32 multiplier[kCount];
#pragma GCC unroll 4
  for (int v = 0; v < kCount; ++v) multiplier[v] = V::load(output.float_multiplier + c + v * V::kLanes);
  const typename V::ByteBounds bounds(output);
  const int rows = shape.rows, width = shape.width;
  const int end = shape.columns < c + kColumns ? shape.columns : c + kColumns;
  const bool whole = end == c + kColumns;
  const std::ptrdiff_t row_stride = output.row_stride;
  const int32_t* from = sums.acc + c;
  std::byte* to = output.data + c;
  for (int r = 0; r < rows; ++r, from += width, to += row_stride) {
    typename V::I32 acc[kCount];
#pragma GCC unroll 4
    for (int v = 0; v < kCount; ++v) acc[v] = V::load(from + v * V::kLanes);
    if (!write_some_bytes<V, kCount>(acc, multiplier, bounds, whole ? kColumns : end - c, to))
      write_byte_row<V>(Int32Sums<V>(sums, r, width), c, end, output, to);
  }
}

template <typename V>
void write_byte_tile(const TileSums& sums, const TileShape& shape, const TileOutput& output) {
  const int vectors = (shape.columns + V::kLanes - 1) / V::kLanes;
  for (int v = 0; v < vectors; v += V::kGroup) {
    const int c = v * V::kLanes;
    if (vectors - v == 1) {
      write_byte_columns<V, 1>(sums, c, shape, output);
    } else if (V::kGroup == 2 || vectors - v == 2) {
      write_byte_columns<V, 2>(sums, c, shape, output);
    } else if (vectors - v == 3) {
      write_byte_columns<V, V::kGroup == 4 ? 3 : 2>(sums, c, shape, output);
    } else {
      write_byte_columns<V, V::kGroup>(sums, c, shape, output);
    }
  }
}

// 16-bit outputs in float32. Adding kMagic to a number below 2^22 rounds it to an integer, half to even, and leaves the
// integer in the sum's low bits. Multipliers below and above the true one are so chosen that, whatever was rounded
// before, acc m lies between the two products (Requantizer): if both give the same integer, so does acc m, and so does
// its double. Else (near a tie: one value in thousands) double decides. Of larger numbers the sum's bits are not those
// of an integer, but beyond the same bound of the output, as negative numbers if their sign is.
constexpr float kMagic = 12582912.0F;  // 1.5 * 2^23
constexpr int32_t kMagicBits = 0x4B400000;

// Without a zero point.
inline bool is_plain(const TileOutput& output) { return output.zero_point == 0; }

template <typename V>
struct WordForm {
  typename V::I32 low, high;         // as bits of a sum with kMagic
  typename V::I32 minus_zero_point;  // as words
  const float *below, *above;
  const double* multiplier;

  explicit WordForm(const TileOutput& output)
      : low(V::broadcast(kMagicBits + static_cast<int32_t>(output.low))),
        high(V::broadcast(kMagicBits + static_cast<int32_t>(output.high))),
        minus_zero_point(
            V::broadcast(static_cast<int32_t>((static_cast<uint32_t>(-output.zero_point) & 0xFFFFU) * 0x10001U))),
        below(output.multiplier_below),
        above(output.multiplier_above),
        multiplier(output.multiplier) {}
};

// Columns [c, c + lanes), clamped; of the integers, as of the bits of a sum with kMagic, the low words are wanted.
template <typename V, typename Sums>
[[gnu::always_inline]] inline typename V::I32 exact_words(const Sums& sums, int c, const WordForm<V>& form) {
  typename V::F64 y[2];
  scaled<V>(sums, form.multiplier, c, y);
  const typename V::I32 minus_magic = V::broadcast(-kMagicBits);
  return V::clamp(V::round(y[0], y[1]), V::add(form.low, minus_magic), V::add(form.high, minus_magic));
}

// The same in float32, of kCount vectors. Returns whether it succeeded.
template <typename V, int kCount, typename Sums>
[[gnu::always_inline]] inline bool near_words(const Sums& sums, int c, const WordForm<V>& form, typename V::I32* q) {
  if constexpr (!requires { sums.near(c); }) {
    return false;
  } else {
    typename V::I32 doubt = V::broadcast(0);
#pragma GCC unroll 2
    for (int v = 0; v < kCount; ++v) {
      const int at = c + v * V::kLanes;
      const typename V::F32 sum = sums.near(at);
      q[v] = V::clamp(V::bits(V::mul_add(sum, V::load(form.below + at), kMagic)), form.low, form.high);
      doubt = V::or_difference(
          doubt, q[v], V::clamp(V::bits(V::mul_add(sum, V::load(form.above + at), kMagic)), form.low, form.high));
    }
    return !V::any(doubt);
  }
}

// kCount (1 or 2) vectors, of which `columns` columns are wanted.
template <typename V, bool kPlain, int kCount, typename Sums>
[[gnu::always_inline]] inline void write_words(const Sums& sums, int c, int columns, const WordForm<V>& form,
                                               std::byte* to) {
  typename V::I32 q[2];
  if (__builtin_expect(!near_words<V, kCount>(sums, c, form, q), 0)) {
#pragma GCC unroll 2
    for (int v = 0; v < kCount; ++v) q[v] = exact_words<V>(sums, c + v * V::kLanes, form);
  }
  typename V::I32 words = V::low_words(q[0], q[kCount - 1]);
  if constexpr (!kPlain) words = V::sub_words(words, form.minus_zero_point);
  if (columns == 2 * V::kLanes) {
    V::store_bytes(to, words);
  } else {
    V::store_partial(to, words, columns * 2);
  }
}

template <typename V, template <typename> typename Sums, bool kPlain>
void write_word_tile(const TileSums& sums, const TileShape& shape, const TileOutput& output) {
  constexpr int kPair = 2 * V::kLanes;
  const WordForm<V> form(output);
  const int rows = shape.rows, columns = shape.columns, width = shape.width;
  const std::ptrdiff_t row_stride = output.row_stride;
  std::byte* data = output.data;
  for (int r = 0; r < rows; ++r, data += row_stride) {
    const Sums<V> row(sums, r, width);
    int c = 0;
    for (; c + kPair <= columns; c += kPair) write_words<V, kPlain, 2>(row, c, kPair, form, data + c * 2);
    const int left = columns - c;
    if (left > V::kLanes) {
      write_words<V, kPlain, 2>(row, c, left, form, data + c * 2);
    } else if (left > 0) {
      write_words<V, kPlain, 1>(row, c, left, form, data + c * 2);
    }
  }
}

// Writes rows of kVectors vectors of sums in registers, of which the first `columns` are wanted.
template <typename V, int kVectors>
struct ByteRows {
  const TileOutput& output;
  const typename V::ByteBounds bounds;
  typename V::F32 multiplier[kVectors];

  static_assert(kVectors <= 2 * V::kGroup);

  explicit ByteRows(const TileOutput& form) : output(form), bounds(form) {
#pragma GCC unroll 4
    for (int v = 0; v < kVectors; ++v) multiplier[v] = V::load(form.float_multiplier + v * V::kLanes);
  }
  template <typename Row>
  [[gnu::always_inline]] void write(const Row& row, int columns, std::byte* to) const {
    // All groups but the last are whole.
    constexpr int kLast = (kVectors - 1) / V::kGroup * V::kGroup;
    bool done = write_some_bytes<V, kVectors - kLast>(row.acc + kLast, multiplier + kLast, bounds,
                                                      columns - kLast * V::kLanes, to + kLast * V::kLanes);
    if constexpr (kLast > 0) done &= write_bytes<V, V::kGroup>(row.acc, multiplier, bounds, to);
    if (__builtin_expect(done, 1)) return;
    int32_t acc[kVectors * V::kLanes];
#pragma GCC unroll 4
    for (int v = 0; v < kVectors; ++v) V::store(acc + v * V::kLanes, row.acc[v]);
    write_byte_row<V>(Int32Sums<V>(acc), 0, columns, output, to);
  }
};

template <typename V, int kVectors, bool kPlain>
struct WordRows {
  const WordForm<V> form;

  explicit WordRows(const TileOutput& output) : form(output) {}
  template <typename Row>
  [[gnu::always_inline]] void write(const Row& row, int columns, std::byte* to) const {
    constexpr int kPair = 2 * V::kLanes, kLast = (kVectors - 1) / 2 * kPair;
    if constexpr (kLast > 0) write_words<V, kPlain, 2>(row, 0, kPair, form, to);
    write_words<V, kPlain, kVectors % 2 == 0 ? 2 : 1>(row, kLast, columns - kLast, form, to + kLast * 2);
  }
};

template <typename V, int kVectors>
struct FloatRows {
  const double* multiplier;

  explicit FloatRows(const TileOutput& form) : multiplier(form.multiplier) {}
  template <typename Row>
  [[gnu::always_inline]] void write(const Row& row, int columns, std::byte* to) const {
#pragma GCC unroll 4
    for (int v = 0; v < kVectors; ++v) {
      constexpr int kBytes = V::kLanes * 4;
      typename V::F64 y[2];
      scaled<V>(row, multiplier, v * V::kLanes, y);
      const int left = columns - v * V::kLanes;
      if (v < kVectors - 1 || left == V::kLanes) {
        V::store_f32(to + v * kBytes, y[0], y[1]);
      } else {
        std::byte part[kBytes];
        V::store_f32(part, y[0], y[1]);
        V::store_partial(to + v * kBytes, V::load_bytes(part), left * 4);
      }
    }
  }
};

template <typename V, template <typename> typename Sums, OutputKind kKind>
void requantizer(const TileSums& sums, const TileShape& shape, const TileOutput& output) {
  if constexpr (V::kGroup > 0 && kKind == OutputKind::kInt8 && Sums<V>::kKind == SumsKind::kInt32) {
    if (output.float_multiplier != nullptr) return write_byte_tile<V>(sums, shape, output);
  }
  if constexpr (V::kGroup > 0 && kKind == OutputKind::kInt16) {
    if (output.bounded && is_plain(output)) return write_word_tile<V, Sums, true>(sums, shape, output);
    if (output.bounded) return write_word_tile<V, Sums, false>(sums, shape, output);
  }
  for (int r = 0; r < shape.rows; ++r)
    write_row<V, kKind>(Sums<V>(sums, r, shape.width), 0, shape.columns, output, output.data + r * output.row_stride);
}

template <typename V, template <typename> typename Sums>
constexpr void fill_requantize_tile(RequantizeTile* requantize_tile) {
  requantize_tile[static_cast<int>(OutputKind::kInt8)] = requantizer<V, Sums, OutputKind::kInt8>;
  requantize_tile[static_cast<int>(OutputKind::kInt16)] = requantizer<V, Sums, OutputKind::kInt16>;
  requantize_tile[static_cast<int>(OutputKind::kFloat32)] = requantizer<V, Sums, OutputKind::kFloat32>;
  requantize_tile[static_cast<int>(OutputKind::kFloat64)] = requantizer<V, Sums, OutputKind::kFloat64>;
}

}  // namespace
}  // namespace twofold::kernels

#endif  // TWOFOLD_SRC_KERNELS_REQUANTIZE_SKELETON_H_
