// What each instruction set supplies: a table of functions on plain data. Files that are compiled for an instruction
// set include only this, <cstddef>, <cstdint>, intrinsics and the skeleton, whose functions have internal linkage: an
// inline function that they shared with other files could be linked in from the wrong one and crash on an older CPU.
#ifndef TWOFOLD_SRC_KERNELS_MICRO_KERNELS_H_
#define TWOFOLD_SRC_KERNELS_MICRO_KERNELS_H_

#include <cstddef>
#include <cstdint>

namespace twofold::kernels {

enum class Isa : uint8_t;

// Sizes of a tile of accumulators: rows x vectors of int32 lanes.
inline constexpr int kMaxTileRows = 12;
inline constexpr int kMaxTileVectors = 4;
inline constexpr int kMaxLanes = 16;
inline constexpr int kMaxTileSize = 24 * kMaxLanes;  // rows * vectors <= 24

// Sums over k of one tile: out[r][c] = init[c] + sum over cells of dot(a[r][cell], b[cell][c]), modulo 2^32.
// A cell is 32 bits: four 8-bit or two 16-bit neighbours along K. `a`: rows of cells, `a_stride` bytes apart; `b`:
// [cells][columns] cells, aligned to whole vectors; columns = vectors * lanes; `out` is dense, [rows][columns].
using TileKernel = void (*)(const std::byte* a, std::ptrdiff_t a_stride, const std::byte* b, std::ptrdiff_t cells,
                            const int32_t* init, int32_t* out);

// Element-wise copy of `n` elements of some rows of A into cells; bits `flip` are inverted (which moves between signed
// and unsigned). Strides are bytes from row to row.
struct RowsCopy {
  const std::byte* source;
  std::ptrdiff_t source_stride, rows, n;
  uint32_t flip;
  std::byte* cells;
  std::ptrdiff_t cells_stride;
};
using CopyRows = void (*)(const RowsCopy& copy);

// The high bytes of the n elements of some rows, plus high_bias, as the cells that the second pass wants: uint8, or
// int16. Strides are bytes.
struct HighBytes {
  const std::byte* cells;
  std::ptrdiff_t stride, rows, n;
  std::byte* high;
  std::ptrdiff_t high_stride;
};

// Where and how one tile is written: y = clamp(round_half_even(acc * multiplier[c]), low, high) + zero_point; to
// float32, float(acc * multiplier[c]); to float64, acc * multiplier[c].
struct TileOutput {
  std::byte* data;            // of the tile's first element
  std::ptrdiff_t row_stride;  // bytes
  const double* multiplier;   // one per column of the tile
  // Whether all accumulators times their multipliers stay below 2^30 in magnitude.
  bool bounded;
  // In float32, null unless bounded: the multipliers for 8-bit outputs; for 16-bit ones, numbers below and above them
  // (requantize_skeleton.h).
  const float *float_multiplier, *multiplier_below, *multiplier_above;
  double low, high;  // without the zero point
  int32_t zero_point;
};

// Extent of a tile: `width` accumulators per row, of which the first `columns` are wanted.
struct TileShape {
  int rows, columns, width;
};

// 8 and 16 bits are stored alike, signed or not.
enum class OutputKind : uint8_t { kInt8, kInt16, kFloat32, kFloat64 };
inline constexpr int kOutputKinds = 4;

// The sums of a tile, in the form that its SumsKind says.
enum class SumsKind : uint8_t {
  kInt32,      // acc, complete
  kHighBytes,  // high 2^16 + int32(acc - high 2^16), complete: see packed_b.h, kPairsAndHighBytes
  kDouble,     // sums + offset[column] + row_offset[row]
};
inline constexpr int kSumsKinds = 3;

struct TileSums {
  const int32_t *acc, *high;
  const double* sums;
  const double *offset, *row_offset;
};
using RequantizeTile = void (*)(const TileSums& sums, const TileShape& shape, const TileOutput& output);

// Rows of a panel of B, dots and requantization in one: what a TileKernel (or two: SumsKind::kHighBytes) and a
// RequantizeTile make of each of them.
struct FusedRows {
  const std::byte* a;
  std::ptrdiff_t a_stride;
  int64_t rows;
  const std::byte* b;
  std::ptrdiff_t cells;
  const int32_t* start;
  // Of the second pass.
  const std::byte* high_a;
  std::ptrdiff_t high_stride;
  const std::byte* high_b;
  std::ptrdiff_t high_cells;
  const int32_t* high_start;
  int columns;  // that are wanted
};
// REQUIRES: output.bounded, or float32.
using FusedKernel = void (*)(const FusedRows& rows, const TileOutput& output);

// Sums of a depthwise convolution for a group of neighbouring channels and a strip of output pixels. The window's rows
// are `rows` taps above each other; a column of them is interleaved into cells once, and serves every pixel whose
// window it lies in: pixel p takes columns p * pixel_step + x * tap_step, x < kernel.
//   out[p][c] = init[c] + sum of column[..][c] * weight[..][c] mod 2^32.
// Of weights that are split into 256 high + low, with L = init[c] + sum of column * low weight and H = high_init[c] +
// sum of column * high weight, which must fit int32, it leaves 256 H + L as SumsKind::kHighBytes has it:
//   out[p][c] = 256 H + L mod 2^32, high[p][c] = floor(H / 256).
struct DepthwiseStrip {
  const std::byte* const* taps;  // [columns][rows], each the first channel of a pixel of the input
  int columns, rows;
  std::ptrdiff_t offset;  // bytes from a pixel's first channel to the group's
  int channels;           // of the group, at most lanes * 4 (quads) or lanes * 2 (pairs)
  uint32_t flip;          // bits to invert in every element
  int pixels, pixel_step, kernel, tap_step;
  bool slides;                              // a window of 3 x 3 taps side by side, and pixels one or two steps apart
  const std::byte *weights, *high_weights;  // [x][cell of rows][channel] cells, channels filled up to whole vectors
  const int32_t *init, *high_init;
  std::byte* cells;     // room for [columns][cell][channel] cells
  int32_t *out, *high;  // [pixels][channels, filled up to whole vectors]
  // In place of these, for kernels that requantize: the group's outputs, of which the first pixel's lie at `to`; a row
  // is a pixel.
  const TileOutput* output;
  std::byte* to;
};
using DepthwiseKernel = void (*)(const DepthwiseStrip& strip);
struct DepthwiseKernels {
  DepthwiseKernel sums;
  // Requantize as well, for outputs that are bounded or float32; null where there are none.
  DepthwiseKernel outputs[kOutputKinds];
};

// A panel of B as it lies in memory: rows of K, `columns` columns; strides in bytes.
struct PackSource {
  const std::byte* data;
  std::ptrdiff_t row_stride, column_stride;
  std::ptrdiff_t rows, padded_rows;  // zeros from `rows` on; padded_rows is a multiple of 4
  int columns, width;                // zeros from `columns` on
  int32_t fold;                      // subtracted from every element
};
// Lays it out as [cell][width].
using PackCells = void (*)(const PackSource& b, std::byte* cells);
// Per column of `count` cells, [count][width]: the sum of the elements and the sum of their magnitudes, which have to
// fit int32.
using ScanCells = void (*)(const std::byte* cells, std::ptrdiff_t count, int width, int32_t* sums, int32_t* magnitudes);
using RangeOf = void (*)(const std::byte* from, std::ptrdiff_t n, int32_t* low, int32_t* high);  // n > 0

struct MicroKernels {
  int lanes;                      // int32 lanes of a vector
  int max_vectors;                // of the widest tile
  int max_rows[kMaxTileVectors];  // of the highest tile with 1, 2, ... vectors
  bool has_quads;                 // else 8-bit operands are widened to pairs
  bool quads_take_unsigned;       // the quads of A are uint8 (x86), else int8
  bool rounds_products;           // before it adds to them, in float32
  int high_bias;                  // added to the high bytes of A to fit the second pass: 128, or 0 for int8 quads
  TileKernel quads[kMaxTileVectors][kMaxTileRows];
  TileKernel pairs[kMaxTileVectors][kMaxTileRows];
  TileKernel byte_pairs[kMaxTileVectors][kMaxTileRows];  // of a B that is held as int8
  // By OutputKind and vectors; null where there are none. Beyond some cells a tile that is then requantized is faster.
  int64_t max_fused_cells;
  FusedKernel fused_quads[kOutputKinds][kMaxTileVectors], fused_pairs[kOutputKinds][kMaxTileVectors];
  FusedKernel fused_byte_pairs[kOutputKinds][kMaxTileVectors];
  FusedKernel fused_high_bytes[kOutputKinds][kMaxTileVectors];

  CopyRows copy_8_to_8;
  CopyRows copy_s8_to_16, copy_u8_to_16;
  CopyRows copy_16_to_16;
  void (*high_bytes)(const HighBytes& rows);

  PackCells pack_quads, pack_pairs_s8, pack_pairs_u8, pack_pairs_16;
  ScanCells scan_quads, scan_pairs;
  ScanCells scan_parts;  // of pairs split into high and low parts: the sums are the high parts'
  // The high parts of `count` pairs, as the cells that the second pass wants.
  void (*pack_high)(const std::byte* cells, std::ptrdiff_t count, int width, std::byte* high);
  RangeOf range_s8, range_u8, range_s16, range_u16;

  // sums[i] (+)= acc[i]; the first form where `first`. n is a multiple of lanes.
  void (*flush)(const int32_t* acc, std::ptrdiff_t n, bool first, double* sums);
  // sums[i] (+)= high[i] 2^16 + int32(wrapped[i] - high[i] 2^16): as SumsKind::kHighBytes.
  void (*combine)(const int32_t* wrapped, const int32_t* high, std::ptrdiff_t n, bool first, double* sums);

  DepthwiseKernels depthwise_quads;
  DepthwiseKernels depthwise_pairs_s8, depthwise_pairs_u8;  // widened
  DepthwiseKernels depthwise_pairs_s16, depthwise_pairs_u16, depthwise_split_s16, depthwise_split_u16;

  RequantizeTile requantize_tile[kSumsKinds][kOutputKinds];
};

// REQUIRES: `isa` is available.
const MicroKernels& micro_kernels(Isa isa);

#if defined(__x86_64__)
extern const MicroKernels kMicroKernelsAvx2, kMicroKernelsAvxVnni, kMicroKernelsAvx512, kMicroKernelsAvx512Vnni;
#elif defined(__aarch64__)
extern const MicroKernels kMicroKernelsNeon, kMicroKernelsNeonDot;
#endif
extern const MicroKernels kMicroKernelsScalar;

}  // namespace twofold::kernels

#endif  // TWOFOLD_SRC_KERNELS_MICRO_KERNELS_H_
