#include "kernels/depthwise.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "base/check.h"
#include "base/parallel_for.h"

namespace twofold::kernels {

namespace {

// Pixels that one call of the kernel computes.
constexpr int kStrip = 6;
// Multiplications below which a thread is not worth waking.
constexpr int64_t kMinWork = 1 << 15;

DepthwiseKernel kernel_for(const PackedB& b) {
  const MicroKernels& kernels = b.kernels();
  if (b.product() == Product::kQuads) return kernels.depthwise_quads;
  if (b.product() == Product::kPairsAndHighBytes) return kernels.depthwise_pairs_16_and_high;
  if (b.row_form().dtype == DType::kInt8) return kernels.depthwise_pairs_s8;
  if (b.row_form().dtype == DType::kUInt8) return kernels.depthwise_pairs_u8;
  return kernels.depthwise_pairs_16;
}

}  // namespace

bool Depthwise::serves(const PackedB& b) {
  return b.row_factor() == 0 && std::ranges::all_of(b.panels(), [](const PackedB::Panel& p) { return p.chunks == 1; });
}

Depthwise::Depthwise(PackedB b, Epilogue epilogue)
    : b_(std::move(b)),
      epilogue_(std::move(epilogue)),
      kernel_(kernel_for(b_)),
      vectors_(b_.product() == Product::kQuads ? 4 : 2),
      taps_(b_.k()),
      padded_taps_((taps_ + 3) / 4 * 4) {
  TWOFOLD_CHECK(serves(b_));
  const int size = vectors_ * b_.kernels().lanes;
  const int64_t channels = b_.columns();
  // The last group begins earlier rather than being a part of one: it computes some channels again.
  for (int64_t c = 0; c < channels; c += size) {
    const int64_t first = std::max<int64_t>(0, std::min(c, channels - size));
    groups_.push_back({first, static_cast<int>(std::min<int64_t>(size, channels))});
  }
  pack_weights();
  init_.assign(static_cast<size_t>(std::max<int64_t>(channels, size)), 0);
  for (int64_t c = 0; c < channels; ++c) {
    const int32_t* init = b_.product() == Product::kPairsAndHighBytes ? b_.wrap_init()  // one chunk a panel
                          : epilogue_.fits_int32()                    ? epilogue_.int32_offset()
                                                                      : nullptr;
    if (init != nullptr) init_[static_cast<size_t>(c)] = init[c];
  }
}

// From the panels of `b_`, [cell][column], to groups of channels in the kernels' order.
void Depthwise::pack_weights() {
  const int lanes = b_.kernels().lanes, size = vectors_ * lanes;
  const bool high = b_.product() == Product::kPairsAndHighBytes;
  const int64_t cells = padded_taps_ / vectors_;
  const auto bytes = static_cast<size_t>(static_cast<int64_t>(groups_.size()) * cells * size * 4);
  weights_ = AlignedBuffer(bytes);
  high_weights_ = AlignedBuffer(high ? bytes : 0);
  std::memset(weights_.data(), 0, bytes);
  if (high) std::memset(high_weights_.data(), 0, bytes);
  // Where the cell of a column lies in a panel of b_.
  const auto cell_at = [&](int64_t column, int64_t cell, bool of_high) {
    const PackedB::Panel& panel = b_.panels()[static_cast<size_t>(column / (b_.kernels().max_vectors * lanes))];
    const std::ptrdiff_t width = panel.vectors * lanes;
    return b_.data() + (of_high ? panel.high : panel.cells) + (cell * width + column - panel.first_column) * 4;
  };
  std::ptrdiff_t to = 0;
  for (const Group& group : groups_) {
    for (int64_t cell = 0; cell < cells; ++cell) {
      for (int i = 0; i < size; ++i, to += 4) {
        const int channel = depthwise_order(i, lanes, vectors_);
        if (channel >= group.channels) continue;
        const int64_t column = group.first_channel + channel;
        std::memcpy(weights_.data() + to, cell_at(column, cell, false), 4);
        if (!high) continue;
        // The kernel takes the high bytes as pairs, b_ may hold them as quads.
        int16_t pair[2];
        if (b_.row_form().high_bytes == 1) {
          int8_t quad[4];
          std::memcpy(quad, cell_at(column, cell / 2, true), 4);
          pair[0] = quad[cell % 2 * 2];
          pair[1] = quad[cell % 2 * 2 + 1];
        } else {
          std::memcpy(pair, cell_at(column, cell, true), 4);
        }
        std::memcpy(high_weights_.data() + to, pair, 4);
      }
    }
  }
}

void Depthwise::run(const ConvInput& input, const std::array<ConvAxis, 3>& axes,
                    std::span<const OutputRows> outputs) const {
  TWOFOLD_CHECK(input.channels == b_.columns() && axes[0].kernel * axes[1].kernel * axes[2].kernel == taps_);
  const size_t bytes = byte_size(input.dtype);
  std::vector<std::byte> zeros(static_cast<size_t>(input.channels) * bytes);
  // The low bytes of an int32 are the integer of either type.
  for (size_t i = 0; i < zeros.size(); i += bytes) std::memcpy(zeros.data() + i, &input.zero_point, bytes);
  const int64_t lines = input.batch * axes[0].outputs * axes[1].outputs;
  const int64_t work = std::max<int64_t>(1, axes[2].outputs * input.channels * taps_);
  parallel_for(lines, (kMinWork + work - 1) / work, [&](int64_t begin, int64_t end) {
    for (int64_t line = begin; line < end; ++line) run_line(input, axes, line, outputs, zeros.data());
  });
}

// One line of output pixels; taps outside the input point to `zeros`.
void Depthwise::run_line(const ConvInput& input, const std::array<ConvAxis, 3>& axes, int64_t line,
                         std::span<const OutputRows> outputs, const std::byte* zeros) const {
  const auto& [depth, height, width] = axes;
  const int64_t y = line % height.outputs, z = line / height.outputs % depth.outputs;
  const int64_t batch = line / height.outputs / depth.outputs;
  const auto pixel_bytes = static_cast<int64_t>(static_cast<size_t>(input.channels) * byte_size(input.dtype));
  // The lines of the input that the window's lines lie on; null outside.
  std::vector<const std::byte*> lines;
  for (int64_t kz = 0; kz < depth.kernel; ++kz) {
    for (int64_t ky = 0; ky < height.kernel; ++ky) {
      const int64_t iz = depth.first(z) + kz * depth.dilation, iy = height.first(y) + ky * height.dilation;
      const bool inside = iz >= 0 && iz < depth.size && iy >= 0 && iy < height.size;
      const int64_t input_line = (batch * depth.size + iz) * height.size + iy;
      lines.push_back(inside ? static_cast<const std::byte*>(input.data) + input_line * width.size * pixel_bytes
                             : nullptr);
    }
  }
  std::vector<const std::byte*> taps(static_cast<size_t>(kStrip * padded_taps_), zeros);
  for (int64_t x = 0; x < width.outputs; x += kStrip) {
    const int pixels = static_cast<int>(std::min<int64_t>(kStrip, width.outputs - x));
    for (int p = 0; p < pixels; ++p) {
      const std::byte** tap = taps.data() + p * padded_taps_;
      const int64_t first = width.first(x + p);
      for (const std::byte* from : lines) {
        for (int64_t kx = 0; kx < width.kernel; ++kx) {
          const int64_t ix = first + kx * width.dilation;
          *tap++ = from != nullptr && ix >= 0 && ix < width.size ? from + ix * pixel_bytes : zeros;
        }
      }
    }
    run_strip(taps.data(), pixels, line * width.outputs + x, outputs);
  }
}

void Depthwise::run_strip(const std::byte* const* taps, int pixels, int64_t first_row,
                          std::span<const OutputRows> outputs) const {
  const MicroKernels& kernels = b_.kernels();
  const int size = vectors_ * kernels.lanes;
  const bool high = b_.product() == Product::kPairsAndHighBytes, int32 = !high && epilogue_.fits_int32();
  const auto element_bytes = static_cast<std::ptrdiff_t>(byte_size(b_.row_form().dtype));
  const std::ptrdiff_t group_bytes = padded_taps_ / vectors_ * size * 4;
  alignas(kCacheLine) std::array<int32_t, kMaxTileSize> acc, high_acc;
  alignas(kCacheLine) std::array<double, kMaxTileSize> sums;
  constexpr std::array<double, kStrip> kNoRowOffset = {};
  for (size_t g = 0; g < groups_.size(); ++g) {
    const Group& group = groups_[g];
    const auto at = static_cast<std::ptrdiff_t>(g) * group_bytes;
    kernel_({.taps = taps,
             .pixels = pixels,
             .count = static_cast<int>(padded_taps_),
             .offset = group.first_channel * element_bytes,
             .channels = group.channels,
             .flip = b_.row_form().flip,
             .weights = weights_.data() + at,
             .high_weights = high ? high_weights_.data() + at : weights_.data() + at,
             .init = init_.data() + group.first_channel,
             .out = acc.data(),
             .high = high_acc.data()});
    if (high) kernels.combine(acc.data(), high_acc.data(), pixels * size, true, sums.data());
    if (!high && !int32) kernels.flush(acc.data(), pixels * size, true, sums.data());
    const TileShape shape = {.rows = pixels, .columns = group.channels, .width = size};
    for (size_t i = 0; i < outputs.size(); ++i) {
      const TileOutput output = epilogue_.at(i, outputs[i].data, outputs[i].row_stride, first_row, group.first_channel);
      const auto kind = static_cast<size_t>(epilogue_.outputs()[i].kind);
      if (int32) {
        kernels.int32_epilogue[kind](acc.data(), shape, output);
      } else {
        kernels.double_epilogue[kind](sums.data(), epilogue_.offset() + group.first_channel, kNoRowOffset.data(), shape,
                                      output);
      }
    }
  }
}

}  // namespace twofold::kernels
