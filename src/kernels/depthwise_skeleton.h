// The kernels of depthwise convolution, for all instruction sets; see skeleton.h.
#ifndef TWOFOLD_SRC_KERNELS_DEPTHWISE_SKELETON_H_
#define TWOFOLD_SRC_KERNELS_DEPTHWISE_SKELETON_H_

#include <cstddef>
#include <cstdint>

#include "kernels/micro_kernels.h"
#include "kernels/requantize_skeleton.h"

namespace twofold::kernels {
namespace {

// `bytes` bytes, of which there are at most a vector.
template <typename V>
[[gnu::always_inline]] inline typename V::I32 load_up_to(const std::byte* from, int bytes) {
  if (V::kMasksLoads || bytes != V::kLanes * 4) return V::load_partial(from, bytes);
  return V::load_bytes(from);
}

// How channels become cells. `load` brings a tap's channels, in the order that makes interleaved ones lie in place.
template <typename V>
struct QuadChannels {
  using I32 = typename V::I32;
  static constexpr int kTaps = 4;

  static I32 load(const std::byte* from, int channels, I32 flip) {
    return V::spread_4(V::bit_xor(load_up_to<V>(from, channels), flip));
  }
  static I32 flip(uint32_t bits) { return V::broadcast(static_cast<int32_t>(bits * 0x01010101U)); }
  static void interleave(const I32* taps, I32* cells) { V::interleave_4(taps[0], taps[1], taps[2], taps[3], cells); }
};

enum class Source { kS8, kU8, kS16, kU16 };

template <typename V, Source kSource>
struct PairChannels {
  using I32 = typename V::I32;
  static constexpr int kTaps = 2;

  static I32 load(const std::byte* from, int channels, I32 flip) {
    if constexpr (kSource == Source::kS16) {
      return V::spread_2(load_up_to<V>(from, 2 * channels));
    } else if constexpr (kSource == Source::kU16) {
      return V::spread_2(V::bit_xor(load_up_to<V>(from, 2 * channels), flip));
    } else {
      return V::spread_2(V::template widen<kSource == Source::kS8>(from, channels));
    }
  }
  static I32 flip(uint32_t bits) { return V::broadcast(static_cast<int32_t>(bits * 0x00010001U)); }
  static void interleave(const I32* taps, I32* cells) { V::interleave_2(taps[0], taps[1], cells); }
};

// Interleaves kPresent taps and zeros. Only the cells of the first vectors of channels mean something.
template <typename Channels, int kPresent, typename I32>
[[gnu::always_inline]] inline void make_cell(const std::byte* const* taps, std::ptrdiff_t offset, int channels,
                                             const I32& flip, const I32& zero, I32* cells) {
  I32 tap[Channels::kTaps];
#pragma GCC unroll 4
  for (int t = 0; t < Channels::kTaps; ++t)
    tap[t] = t < kPresent ? Channels::load(taps[t < kPresent ? t : 0] + offset, channels, flip) : zero;
  Channels::interleave(tap, cells);
}

// 256 high + low.
template <typename V>
struct SplitSums {
  const typename V::I32 *low, *high;
  [[gnu::always_inline]] void at(int c, typename V::F64* halves) const {
    V::halves_of_parts(high[c / V::kLanes], 256.0, low[c / V::kLanes], halves);
  }
  [[gnu::always_inline]] auto near(int c) const {
    return V::template to_f32<8>(high[c / V::kLanes], low[c / V::kLanes]);
  }
};

// The sums of one pixel, of weights as they are or split (DepthwiseStrip).
template <typename V, typename Dot, int kVectors, bool kSplit>
struct PixelSums {
  static constexpr bool kIsSplit = kSplit;
  using I32 = typename V::I32;
  I32 low[kVectors], high[kSplit ? kVectors : 1];

  [[gnu::always_inline]] void start(const DepthwiseStrip& strip) {
#pragma GCC unroll 4
    for (int v = 0; v < kVectors; ++v) {
      low[v] = V::load(strip.init + v * V::kLanes);
      if constexpr (kSplit) high[v] = V::load(strip.high_init + v * V::kLanes);
    }
  }
  [[gnu::always_inline]] void add(int v, const I32& cells, const I32& weights, const I32& high_weights) {
    low[v] = Dot::dot(low[v], cells, weights);
    if constexpr (kSplit) high[v] = Dot::dot(high[v], cells, high_weights);
  }
  [[gnu::always_inline]] auto row() const {
    if constexpr (kSplit) {
      return SplitSums<V>{low, high};
    } else {
      return RegisterSums<V>{low};
    }
  }
};

// What becomes of the sums of a pixel.
template <typename V, int kVectors>
struct StoreSums {
  int32_t *out, *high;
  explicit StoreSums(const DepthwiseStrip& strip) : out(strip.out), high(strip.high) {}
  template <typename Sums>
  [[gnu::always_inline]] void write(const Sums& sums, int pixel) const {
    const int at = pixel * kVectors * V::kLanes;
#pragma GCC unroll 4
    for (int v = 0; v < kVectors; ++v) {
      if constexpr (Sums::kIsSplit) {
        V::store(out + at + v * V::kLanes, V::add(V::shift_left_8(sums.high[v]), sums.low[v]));
        V::store(high + at + v * V::kLanes, V::shift_right_8(sums.high[v]));
      } else {
        V::store(out + at + v * V::kLanes, sums.low[v]);
      }
    }
  }
};

template <typename Rows>
struct WriteOutput {
  const Rows rows;
  std::byte* to;
  std::ptrdiff_t row_stride;
  int channels;
  explicit WriteOutput(const DepthwiseStrip& strip)
      : rows(*strip.output), to(strip.to), row_stride(strip.output->row_stride), channels(strip.channels) {}
  template <typename Sums>
  [[gnu::always_inline]] void write(const Sums& sums, int pixel) const {
    rows.write(sums.row(), channels, to + pixel * row_stride);
  }
};
template <typename V, int kVectors>
using WriteBytes = WriteOutput<ByteRows<V, kVectors>>;
template <typename V, int kVectors>
using WriteFloats = WriteOutput<FloatRows<V, kVectors>>;
template <typename V, int kVectors>
using WriteWords = WriteOutput<WordRows<V, kVectors, false>>;
template <typename V, int kVectors>
using WritePlainWords = WriteOutput<WordRows<V, kVectors, true>>;

// Interleaves the taps of all columns, kLast of them in the last cell of each. (Fields are copied first: the compiler
// would read them again after every store of bytes, which might be theirs.)
template <typename V, typename Channels, int kVectors, int kLast>
void make_cells(const DepthwiseStrip& strip) {
  using I32 = typename V::I32;
  constexpr int kTaps = Channels::kTaps;
  const I32 flip = Channels::flip(strip.flip), zero = V::broadcast(0);
  const int columns = strip.columns, whole_cells = (strip.rows - kLast) / kTaps;
  const std::ptrdiff_t offset = strip.offset;
  const int channels = strip.channels;
  const std::byte* const* taps = strip.taps;
  std::byte* to = strip.cells;
  const auto store = [&to](const I32* cells) {
#pragma GCC unroll 4
    for (int v = 0; v < kVectors; ++v) V::store_cells(to + v * V::kLanes * 4, cells[v]);
    to += kVectors * V::kLanes * 4;
  };
  I32 cells[kTaps];
  for (int column = 0; column < columns; ++column) {
    for (int cell = 0; cell < whole_cells; ++cell, taps += kTaps) {
      make_cell<Channels, kTaps>(taps, offset, channels, flip, zero, cells);
      store(cells);
    }
    make_cell<Channels, kLast>(taps, offset, channels, flip, zero, cells);
    store(cells);
    taps += kLast;
  }
}

// Sums over any window, of columns that make_cells has laid out: kPixels pixels at once, which share the weights that
// are loaded.
template <typename V, typename Dot, int kVectors, bool kSplit, int kPixels, typename Writer>
void sum_pixels(const DepthwiseStrip& strip, const Writer& writer, std::ptrdiff_t cells, int first) {
  using I32 = typename V::I32;
  constexpr std::ptrdiff_t kVector = V::kLanes * 4, kCell = kVectors * kVector;
  const std::ptrdiff_t column_bytes = cells * kCell, tap_bytes = strip.tap_step * column_bytes;
  const std::ptrdiff_t pixel_bytes = strip.pixel_step * column_bytes;
  PixelSums<V, Dot, kVectors, kSplit> sums[kPixels];
#pragma GCC unroll 8
  for (int p = 0; p < kPixels; ++p) sums[p].start(strip);
  const std::byte *column = strip.cells + first * pixel_bytes, *weights = strip.weights;
  const std::byte* high = kSplit ? strip.high_weights : weights;
  for (int x = strip.kernel; x > 0; --x, column += tap_bytes) {
    for (const std::byte* cell = column; cell < column + column_bytes; cell += kCell) {
#pragma GCC unroll 4
      for (int v = 0; v < kVectors; ++v, weights += kVector, high += kVector) {
        const I32 low_part = V::load_cells(weights), high_part = V::load_cells(high);
#pragma GCC unroll 8
        for (int p = 0; p < kPixels; ++p)
          sums[p].add(v, V::load_cells(cell + p * pixel_bytes + v * kVector), low_part, high_part);
      }
    }
  }
#pragma GCC unroll 8
  for (int p = 0; p < kPixels; ++p) writer.write(sums[p], first + p);
}

template <typename V, typename Dot, int kVectors, bool kSplit, typename Writer>
void sum_windows(const DepthwiseStrip& strip, int cells) {
  // Half of the registers are accumulators; 7 pixels are half a strip.
  constexpr int kOfPixel = kVectors * (kSplit ? 2 : 1), kFit = V::kRegisters / 2 / kOfPixel;
  constexpr int kPixels = kFit >= 7 ? 7 : kFit >= 4 ? 4 : kFit >= 2 ? 2 : 1;
  const Writer writer(strip);
  int p = 0;
  for (; p + kPixels <= strip.pixels; p += kPixels)
    sum_pixels<V, Dot, kVectors, kSplit, kPixels>(strip, writer, cells, p);
  for (; p + 2 <= strip.pixels; p += 2) sum_pixels<V, Dot, kVectors, kSplit, 2>(strip, writer, cells, p);
  if (p < strip.pixels) sum_pixels<V, Dot, kVectors, kSplit, 1>(strip, writer, cells, p);
}

// Windows of 3 x 3 taps side by side: the cells of their columns stay in registers. A row of kPixels pixels, which are
// as many independent chains of dots, shares the weights that are loaded.
template <typename V, typename Dot, typename Channels, int kVectors, bool kSplit, int kStep>
struct SlidingWindows {
  using I32 = typename V::I32;
  static constexpr int kTaps = Channels::kTaps, kCells = kTaps == 4 ? 1 : 2;  // of a column
  static constexpr int kVector = V::kLanes * 4, kOfColumn = kCells * kVectors, kWeights = 3 * kOfColumn;
  static constexpr int kPixels = V::kRegisters >= 32 ? 2 : 1;

  const I32 flip, zero;
  const std::ptrdiff_t offset;
  const int channels;
  const std::byte* const* taps;
  const std::byte *weights, *high_weights;
  const DepthwiseStrip& strip;
  I32 columns[(kPixels - 1) * kStep + 3][kCells * kTaps];

  [[gnu::always_inline]] explicit SlidingWindows(const DepthwiseStrip& of)
      : flip(Channels::flip(of.flip)),
        zero(V::broadcast(0)),
        offset(of.offset),
        channels(of.channels),
        taps(of.taps),
        weights(of.weights),
        high_weights(of.high_weights),
        strip(of) {
#pragma GCC unroll 3
    for (int x = 0; x < 3 - kStep; ++x) load(columns[x]);
  }

  [[gnu::always_inline]] void load(I32* column) {
    if constexpr (kTaps == 4) {
      make_cell<Channels, 3>(taps, offset, channels, flip, zero, column);
    } else {
      make_cell<Channels, 2>(taps, offset, channels, flip, zero, column);
      make_cell<Channels, 1>(taps + 2, offset, channels, flip, zero, column + kTaps);
    }
    taps += 3;
  }

  template <int kCount, typename Writer>
  [[gnu::always_inline]] void pixels(const Writer& writer, int first) {
    constexpr int kUsed = (kCount - 1) * kStep + 3;
#pragma GCC unroll 5
    for (int x = 3 - kStep; x < kUsed; ++x) load(columns[x]);
    PixelSums<V, Dot, kVectors, kSplit> sums[kCount];
#pragma GCC unroll 2
    for (int p = 0; p < kCount; ++p) sums[p].start(strip);
#pragma GCC unroll 16
    for (int i = 0; i < kWeights; ++i) {
      const int x = i / kOfColumn, cell = i % kOfColumn / kVectors, v = i % kVectors;
      const I32 low = V::load_cells(weights + i * kVector),
                high = kSplit ? V::load_cells(high_weights + i * kVector) : zero;
#pragma GCC unroll 2
      for (int p = 0; p < kCount; ++p) sums[p].add(v, columns[p * kStep + x][cell * kTaps + v], low, high);
    }
#pragma GCC unroll 2
    for (int p = 0; p < kCount; ++p) writer.write(sums[p], first + p);
#pragma GCC unroll 2
    for (int x = 0; x < 3 - kStep; ++x) {
#pragma GCC unroll 8
      for (int i = 0; i < kCells * kTaps; ++i) columns[x][i] = columns[kCount * kStep + x][i];
    }
  }
};

template <typename V, typename Dot, typename Channels, int kVectors, bool kSplit, int kStep, typename Writer>
void slide_windows(const DepthwiseStrip& strip) {
  using Windows = SlidingWindows<V, Dot, Channels, kVectors, kSplit, kStep>;
  const Writer writer(strip);
  Windows windows(strip);
  int p = 0;
  for (const int pixels = strip.pixels; p + Windows::kPixels <= pixels; p += Windows::kPixels)
    windows.template pixels<Windows::kPixels>(writer, p);
  if (Windows::kPixels > 1 && p < strip.pixels) windows.template pixels<1>(writer, p);
}

template <typename V, typename Dot, typename Channels, bool kSplit, int kVectors, typename Writer>
void depthwise_strip(const DepthwiseStrip& strip) {
  if (strip.slides && strip.pixel_step == 1) return slide_windows<V, Dot, Channels, kVectors, kSplit, 1, Writer>(strip);
  if (strip.slides) return slide_windows<V, Dot, Channels, kVectors, kSplit, 2, Writer>(strip);
  switch (strip.rows % Channels::kTaps) {
    case 1: make_cells<V, Channels, kVectors, 1>(strip); break;
    case 2: make_cells<V, Channels, kVectors, 2>(strip); break;  // never of pairs
    case 3: make_cells<V, Channels, kVectors, 3>(strip); break;  // never of pairs
    default: make_cells<V, Channels, kVectors, Channels::kTaps>(strip); break;
  }
  sum_windows<V, Dot, kVectors, kSplit, Writer>(strip, (strip.rows + Channels::kTaps - 1) / Channels::kTaps);
}

template <typename V, typename Dot, typename Channels, bool kSplit, template <typename, int> typename Writer>
void depthwise(const DepthwiseStrip& strip) {
  const int vectors = (strip.channels + V::kLanes - 1) / V::kLanes;
  if constexpr (Channels::kTaps == 4) {
    if (vectors == 4) return depthwise_strip<V, Dot, Channels, kSplit, 4, Writer<V, 4>>(strip);
    if (vectors == 3) return depthwise_strip<V, Dot, Channels, kSplit, 3, Writer<V, 3>>(strip);
  }
  if (vectors == 2) return depthwise_strip<V, Dot, Channels, kSplit, 2, Writer<V, 2>>(strip);
  depthwise_strip<V, Dot, Channels, kSplit, 1, Writer<V, 1>>(strip);
}

template <typename V, typename Dot, typename Channels, bool kSplit>
void depthwise_words(const DepthwiseStrip& strip) {
  if (is_plain(*strip.output)) return depthwise<V, Dot, Channels, kSplit, WritePlainWords>(strip);
  depthwise<V, Dot, Channels, kSplit, WriteWords>(strip);
}

template <typename V, typename Dot, typename Channels, bool kSplit = false>
constexpr DepthwiseKernels depthwise_kernels() {
  DepthwiseKernels kernels = {};
  kernels.sums = depthwise<V, Dot, Channels, kSplit, StoreSums>;
  if constexpr (V::kFusedSums > 0) {
    if constexpr (!kSplit)
      kernels.outputs[static_cast<int>(OutputKind::kInt8)] = depthwise<V, Dot, Channels, kSplit, WriteBytes>;
    kernels.outputs[static_cast<int>(OutputKind::kInt16)] = depthwise_words<V, Dot, Channels, kSplit>;
    kernels.outputs[static_cast<int>(OutputKind::kFloat32)] = depthwise<V, Dot, Channels, kSplit, WriteFloats>;
  }
  return kernels;
}

}  // namespace
}  // namespace twofold::kernels

#endif  // TWOFOLD_SRC_KERNELS_DEPTHWISE_SKELETON_H_
