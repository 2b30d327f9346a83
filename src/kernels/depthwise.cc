#include "kernels/depthwise.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <utility>

#include "base/check.h"
#include "base/parallel_for.h"

namespace twofold::kernels {

namespace {

// Output pixels of a strip whose cells or sums are laid down: the longer, the fewer columns at its ends are interleaved
// twice.
constexpr int64_t kStrip = 14;
// Lines and pixels of a piece at most: the more lines, the fewer lines of input are read again, and the more pointers
// to taps there are.
constexpr int64_t kMaxLines = 4, kMaxPixels = 512;
// Multiplications below which a thread is not worth waking.
constexpr int64_t kMinWork = 1 << 15;
// Channels of a group at most.
constexpr int kMaxGroup = 4 * kMaxLanes;

int64_t round_up(int64_t n, int64_t unit) { return (n + unit - 1) / unit * unit; }

bool sums_fit_int32(const PackedB& b) {
  return std::ranges::all_of(b.sum_bound(), [](double bound) { return bound < 2147483648.0; });
}

// Split weights are at most 128 in magnitude, so that so many taps of 16 bits stay below 2^30, and starting values of
// 30 bits may be added to either part.
constexpr int64_t kMaxSplitTaps = 256;
constexpr double kMaxSplitOffset = static_cast<double>(int64_t{1} << 38);

bool may_split(const PackedB& b) {
  return b.product() == Product::kPairs && byte_size(b.row_form().dtype) == 2 && b.k() <= kMaxSplitTaps;
}

// In what form the sums are complete: with the offset in what they start from, where it fits.
SumsKind sums_kind(const PackedB& b, const Requantizer& requantizer) {
  if (sums_fit_int32(b)) return requantizer.fits_int32() ? SumsKind::kInt32 : SumsKind::kDouble;
  const std::span<const double> offset(requantizer.offset(), static_cast<size_t>(b.columns()));
  return std::ranges::all_of(offset, [](double value) { return std::abs(value) < kMaxSplitOffset; })
             ? SumsKind::kHighBytes
             : SumsKind::kDouble;
}

// A cell of two weights as two cells, of their parts: weight = 256 high + low, -128 <= low < 128.
void split_cell(std::byte* cell, std::byte* high_cell) {
  std::array<int16_t, 2> low, high;
  std::memcpy(low.data(), cell, sizeof(low));
  for (size_t i = 0; i < 2; ++i) {
    high[i] = static_cast<int16_t>((low[i] + 128) >> 8);
    low[i] = static_cast<int16_t>(low[i] - 256 * high[i]);
  }
  std::memcpy(cell, low.data(), sizeof(low));
  std::memcpy(high_cell, high.data(), sizeof(high));
}

const DepthwiseKernels& kernels_for(const PackedB& b, bool split) {
  const MicroKernels& kernels = b.kernels();
  if (b.product() == Product::kQuads) return kernels.depthwise_quads;
  switch (b.row_form().dtype) {
    case DType::kInt8: return kernels.depthwise_pairs_s8;
    case DType::kUInt8: return kernels.depthwise_pairs_u8;
    case DType::kUInt16: return split ? kernels.depthwise_split_u16 : kernels.depthwise_pairs_u16;
    default: return split ? kernels.depthwise_split_s16 : kernels.depthwise_pairs_s16;
  }
}

// [C, row of the window, column] -> [column, row, C], rows filled up to a multiple of 4 with zero points.
template <typename T>
AlignedVector<T> by_column(const void* weights, int64_t channels, int64_t rows, int64_t width, int32_t zero_point,
                           Allocator* allocator) {
  const int64_t padded = round_up(rows, 4);
  AlignedVector<T> result(static_cast<size_t>(width * padded * channels), static_cast<T>(zero_point), allocator);
  const T* from = static_cast<const T*>(weights);
  for (int64_t c = 0; c < channels; ++c) {
    for (int64_t y = 0; y < rows; ++y) {
      for (int64_t x = 0; x < width; ++x) result[static_cast<size_t>((x * padded + y) * channels + c)] = *from++;
    }
  }
  return result;
}

// Columns of taps under so many output pixels.
int64_t window_columns(const ConvAxis& width, int64_t pixels) {
  return (pixels - 1) * width.stride + (width.kernel - 1) * width.dilation + 1;
}

// A thread's memory, kept for the next call.
struct Scratch {
  AlignedBuffer cells;
  std::vector<const std::byte*> taps;
  std::vector<uint16_t> zeros;
  std::vector<TileOutput> outputs;
};
Scratch& scratch() {
  thread_local Scratch memory;
  return memory;
}

}  // namespace

std::optional<Depthwise> Depthwise::make(DType dtype, const void* weights, int64_t channels,
                                         const std::array<int64_t, 3>& kernel, int32_t zero_point, DType a_dtype,
                                         int32_t a_zero_point, std::span<const int64_t> bias,
                                         std::span<const OutputForm> outputs, Allocator* allocator) {
  const int64_t rows = kernel[0] * kernel[1], width = kernel[2];
  AlignedVector<uint8_t> bytes;
  AlignedVector<uint16_t> words;
  MatrixView matrix = {dtype, nullptr, width * round_up(rows, 4), channels, channels, 1, zero_point};
  if (byte_size(dtype) == 1) {
    bytes = by_column<uint8_t>(weights, channels, rows, width, zero_point, allocator);
    matrix.data = bytes.data();
  } else {
    words = by_column<uint16_t>(weights, channels, rows, width, zero_point, allocator);
    matrix.data = words.data();
  }
  PackedB b(matrix, a_dtype, a_zero_point, {.whole_sums = true, .allocator = allocator});
  if (b.row_factor() != 0) return std::nullopt;
  Requantizer requantizer(b, bias, outputs, allocator);
  if (!sums_fit_int32(b) && !may_split(b)) return std::nullopt;
  return Depthwise(std::move(b), std::move(requantizer), rows, width, allocator);
}

Depthwise::Depthwise(PackedB b, Requantizer requantizer, int64_t rows, int64_t width, Allocator* allocator)
    : b_(std::move(b)),
      requantizer_(std::move(requantizer)),
      taps_of_cell_(b_.product() == Product::kQuads ? 4 : 2),
      rows_(rows),
      width_(width),
      groups_(allocator),
      split_(!sums_fit_int32(b_)),
      kind_(sums_kind(b_, requantizer_)),
      kernels_(&kernels_for(b_, split_)),
      init_(allocator),
      high_init_(allocator) {
  pack_weights(allocator);
  b_.drop_elements();
  prepare_starts();
}

void Depthwise::prepare_starts() {
  const auto padded = static_cast<size_t>(b_.padded_columns());
  init_.assign(padded, 0);
  high_init_.assign(padded, 0);
  for (size_t c = 0; c < padded; ++c) {
    if (kind_ == SumsKind::kHighBytes) {
      const auto offset = static_cast<int64_t>(requantizer_.offset()[c]);
      high_init_[c] = static_cast<int32_t>(offset >> 8);
      init_[c] = static_cast<int32_t>(offset & 0xFF);
    } else if (kind_ == SumsKind::kInt32) {
      init_[c] = requantizer_.int32_offset()[c];
    }
  }
}

// From the panels of `b_` to groups of channels.
void Depthwise::pack_weights(Allocator* allocator) {
  const int lanes = b_.kernels().lanes, group_size = taps_of_cell_ * lanes;
  const int64_t column_cells = round_up(rows_, 4) / taps_of_cell_, used = (rows_ + taps_of_cell_ - 1) / taps_of_cell_;
  std::ptrdiff_t bytes = 0;
  for (int64_t c = 0; c < b_.columns(); c += group_size) {
    const auto channels = static_cast<int>(std::min<int64_t>(group_size, b_.columns() - c));
    groups_.push_back({c, channels, bytes});
    bytes += width_ * used * round_up(channels, lanes) * 4;
  }
  weights_ = AlignedBuffer(static_cast<size_t>(bytes), allocator);
  high_weights_ = AlignedBuffer(static_cast<size_t>(split_ ? bytes : 0), allocator);
  // Where the cells of a panel of b_ lie from a channel on; channels up to a whole vector are there.
  const auto cells_at = [&](int64_t channel, int64_t cell) {
    const PackedB::Panel& panel = b_.panels()[static_cast<size_t>(channel / (b_.kernels().max_vectors * lanes))];
    const std::ptrdiff_t width = panel.vectors * lanes;
    return b_.data() + panel.cells + (cell * width + channel - panel.first_column) * 4;
  };
  for (const Group& group : groups_) {
    std::ptrdiff_t to = group.weights;
    for (int64_t x = 0; x < width_; ++x) {
      for (int64_t i = 0; i < used; ++i) {
        const int64_t cell = x * column_cells + i;
        for (int64_t c = 0; c < group.channels; c += lanes, to += lanes * 4) {
          std::memcpy(weights_.data() + to, cells_at(group.first_channel + c, cell), static_cast<size_t>(lanes) * 4);
          for (int lane = 0; split_ && lane < lanes; ++lane)
            split_cell(weights_.data() + to + lane * 4, high_weights_.data() + to + lane * 4);
        }
      }
    }
  }
}

void Depthwise::run(const ConvInput& input, const std::array<ConvAxis, 3>& axes, std::span<const OutputRows> outputs,
                    const BlockSink* sink) const {
  TWOFOLD_CHECK(input.channels == b_.columns() && axes[0].kernel * axes[1].kernel == rows_ && axes[2].kernel == width_);
  const int64_t lines = input.batch * axes[0].outputs * axes[1].outputs;
  const int64_t work = std::max<int64_t>(1, axes[2].outputs * input.channels * rows_ * width_);
  parallel_for(lines, (kMinWork + work - 1) / work,
               [&](int64_t begin, int64_t end) { run_lines(input, axes, begin, end, outputs, sink); });
}

// Lines of output pixels, piece by piece.
void Depthwise::run_lines(const ConvInput& input, const std::array<ConvAxis, 3>& axes, int64_t begin, int64_t end,
                          std::span<const OutputRows> outputs, const BlockSink* sink) const {
  const ConvAxis& width = axes[2];
  alignas(kCacheLine) std::array<std::byte, kStrip * kMaxGroup * sizeof(double)> block;
  Scratch& memory = scratch();
  Destination to = {outputs, sink, block.data(), fused_kernel(), {}};
  memory.outputs.clear();
  for (const Group& group : groups_) {
    if (to.fused != nullptr) memory.outputs.push_back(output_of(to, 0, 0, group));
  }
  to.fused_outputs = memory.outputs;
  memory.zeros.assign(static_cast<size_t>(input.channels), zero_element(input.dtype, input.zero_point));
  const auto* zeros = reinterpret_cast<const std::byte*>(memory.zeros.data());

  DepthwiseStrip strip = strip_of(width);
  const int64_t pixels = std::min(kMaxPixels, width.outputs), line_taps = window_columns(width, pixels) * rows_;
  const int64_t of_strip = strip.slides && to.fused != nullptr && sink == nullptr ? pixels : std::min(kStrip, pixels);
  memory.taps.resize(static_cast<size_t>(line_taps * std::min(kMaxLines, end - begin)));
  if (!strip.slides) {
    strip.cells = memory.cells.at_least(
        static_cast<size_t>(window_columns(width, of_strip) * round_up(rows_, taps_of_cell_) * b_.kernels().lanes * 4));
  }
  for (int64_t line = begin; line < end; line += kMaxLines) {
    for (int64_t x = 0; x < width.outputs; x += pixels) {
      const Piece piece = {line, std::min(kMaxLines, end - line), x, std::min(pixels, width.outputs - x)};
      for (int64_t i = 0; i < piece.lines; ++i)
        place_taps(input, axes, {line + i, 1, x, piece.pixels}, zeros, memory.taps.data() + i * line_taps);
      run_piece(piece, strip, of_strip, width, memory.taps.data(), line_taps, to);
    }
  }
}

DepthwiseStrip Depthwise::strip_of(const ConvAxis& width) const {
  DepthwiseStrip strip = {};
  strip.rows = static_cast<int>(rows_);
  strip.flip = b_.row_form().flip;
  strip.pixel_step = static_cast<int>(width.stride);
  strip.kernel = static_cast<int>(width.kernel);
  strip.tap_step = static_cast<int>(width.dilation);
  strip.slides = rows_ == 3 && width.kernel == 3 && width.dilation == 1 && width.stride <= 2;
  return strip;
}

// The taps of all columns under a line of the piece, [column][row of the window]. Those outside the input read a pixel
// of zero points.
void Depthwise::place_taps(const ConvInput& input, const std::array<ConvAxis, 3>& axes, const Piece& piece,
                           const std::byte* zeros, const std::byte** taps) const {
  const ConvAxis &depth = axes[0], &height = axes[1], &width = axes[2];
  const int64_t pixel_bytes = input.channels * static_cast<int64_t>(byte_size(input.dtype));
  const int64_t y = piece.line % height.outputs, z = piece.line / height.outputs % depth.outputs;
  const int64_t batch = piece.line / height.outputs / depth.outputs;
  const int64_t columns = window_columns(width, piece.pixels), first = width.first(piece.first);
  // Columns [begin, end) lie in the input, side by side if nothing is upsampled.
  const int64_t begin = width.upsampling == 1 ? std::clamp<int64_t>(-first, 0, columns) : columns;
  const int64_t end = std::clamp(width.size - first, begin, columns);
  for (int64_t row = 0; row < rows_; ++row, ++taps) {
    const int64_t iz = depth.element(depth.first(z) + row / height.kernel * depth.dilation);
    const int64_t iy = height.element(height.first(y) + row % height.kernel * height.dilation);
    const bool inside = iz >= 0 && iy >= 0;
    const int64_t input_line = inside ? (batch * depth.size + iz) * height.size + iy : 0;
    const std::byte* line = static_cast<const std::byte*>(input.data) + input_line * width.size * pixel_bytes;
    const auto place = [&](int64_t column) {
      const int64_t ix = inside ? width.element(first + column) : -1;
      taps[column * rows_] = ix >= 0 ? line + ix * pixel_bytes : zeros;
    };
    for (int64_t column = 0; column < begin; ++column) place(column);
    const std::byte* pixel = inside && begin < end ? line + (first + begin) * pixel_bytes : zeros;
    const std::ptrdiff_t step = inside ? pixel_bytes : 0;
    for (int64_t column = begin; column < end; ++column, pixel += step) taps[column * rows_] = pixel;
    for (int64_t column = end; column < columns; ++column) place(column);
  }
}

// Group by group, since a group's lines of input are still in the nearest cache when its next line of output wants
// them.
void Depthwise::run_piece(const Piece& piece, DepthwiseStrip strip, int64_t of_strip, const ConvAxis& width,
                          const std::byte* const* taps, int64_t line_taps, const Destination& to) const {
  for (size_t g = 0; g < groups_.size(); ++g) {
    begin_group(strip, g);
    for (int64_t i = 0; i < piece.lines; ++i) {
      for (int64_t x = 0; x < piece.pixels; x += of_strip) {
        strip.pixels = static_cast<int>(std::min(of_strip, piece.pixels - x));
        strip.columns = static_cast<int>(window_columns(width, strip.pixels));
        strip.taps = taps + i * line_taps + x * width.stride * rows_;
        run_strip(strip, (piece.line + i) * width.outputs + piece.first + x, g, to);
      }
    }
  }
}

// The kernel that leaves no sums, where the strip has one output and there is one for it; else null.
DepthwiseKernel Depthwise::fused_kernel() const {
  const Requantizer::Output* output = requantizer_.fusible_output();
  if (output == nullptr || kind_ == SumsKind::kDouble) return nullptr;
  return kernels_->outputs[static_cast<size_t>(output->kind)];
}

// Output i of a group's channels, from a row on.
TileOutput Depthwise::output_of(const Destination& to, size_t i, int64_t row, const Group& group) const {
  if (i == to.outputs.size()) return requantizer_.in_block(to.block, group.channels, group.first_channel);
  return requantizer_.at(i, to.outputs[i].data, to.outputs[i].row_stride, row, group.first_channel);
}

void Depthwise::begin_group(DepthwiseStrip& strip, size_t g) const {
  const Group& group = groups_[g];
  strip.offset = group.first_channel * static_cast<std::ptrdiff_t>(byte_size(b_.row_form().dtype));
  strip.channels = group.channels;
  strip.weights = weights_.data() + group.weights;
  strip.high_weights = split_ ? high_weights_.data() + group.weights : nullptr;
  strip.init = init_.data() + group.first_channel;
  strip.high_init = high_init_.data() + group.first_channel;
}

void Depthwise::run_strip(DepthwiseStrip& strip, int64_t first_row, size_t g, const Destination& to) const {
  const Group& group = groups_[g];
  if (to.fused != nullptr) {
    const TileOutput& output = to.fused_outputs[g];
    strip.output = &output;
    strip.to = output.data + (to.outputs.empty() ? 0 : first_row * output.row_stride);
    to.fused(strip);
  } else {
    run_unfused(strip, first_row, group, to);
  }
  if (to.sink != nullptr) to.sink->take(to.block, first_row, strip.pixels, group.first_channel, group.channels);
}

void Depthwise::run_unfused(DepthwiseStrip& strip, int64_t first_row, const Group& group, const Destination& to) const {
  const MicroKernels& kernels = b_.kernels();
  alignas(kCacheLine) std::array<int32_t, kStrip * kMaxGroup> acc, high_acc;
  alignas(kCacheLine) std::array<double, kStrip * kMaxGroup> sums;
  constexpr std::array<double, kStrip> kNoRowOffset = {};
  const auto width = static_cast<int>(round_up(group.channels, kernels.lanes));
  strip.out = acc.data();
  strip.high = high_acc.data();
  kernels_->sums(strip);
  if (kind_ == SumsKind::kDouble && split_) {
    kernels.combine(acc.data(), high_acc.data(), strip.pixels * width, true, sums.data());
  } else if (kind_ == SumsKind::kDouble) {
    kernels.flush(acc.data(), strip.pixels * width, true, sums.data());
  }
  const TileShape shape = {.rows = strip.pixels, .columns = group.channels, .width = width};
  const TileSums tile = {acc.data(), high_acc.data(), sums.data(), requantizer_.offset() + group.first_channel,
                         kNoRowOffset.data()};
  for (size_t i = 0; i < requantizer_.outputs().size(); ++i) {
    const auto output = static_cast<size_t>(requantizer_.outputs()[i].kind);
    kernels.requantize_tile[static_cast<size_t>(kind_)][output](tile, shape, output_of(to, i, first_row, group));
  }
}

}  // namespace twofold::kernels
