#include "kernels/conv_rows.h"

#include <algorithm>

namespace twofold::kernels {

ConvRows::ConvRows(const ConvInput& input, const std::array<ConvAxis, 3>& axes, int64_t first_channel, int64_t channels,
                   const std::byte* zeros)
    : input_(input),
      axes_(axes),
      first_channel_(first_channel),
      channels_(channels),
      element_bytes_(static_cast<int64_t>(byte_size(input.dtype))),
      pixel_bytes_(input.channels * element_bytes_),
      contiguous_(channels == input.channels && axes[2].dilation == 1 && axes[2].upsampling == 1),
      zeros_(zeros) {}

// One output position, some of whose taps lie in the padding: the first one at position `first`.
void ConvRows::pack_edge(const std::byte* line, int64_t first, const Taps& taps, const PackedRows& row) const {
  const ConvAxis& axis = axes_[2];
  if (axis.upsampling > 1) {
    const int64_t x = axis.element(first);
    return row.copy(taps.k, channels_, x >= 0 ? line + x * pixel_bytes_ : zeros_);
  }
  const int64_t before = std::clamp<int64_t>(-first, 0, taps.count);
  const int64_t end = std::clamp<int64_t>(axis.size - first, before, taps.count);
  if (before > 0) row.copy(taps.k, before * channels_, zeros_);
  if (end > before)
    row.copy(taps.k + before * channels_, (end - before) * channels_, line + (first + before) * pixel_bytes_);
  if (end < taps.count) row.copy(taps.k + end * channels_, (taps.count - end) * channels_, zeros_);
}

void ConvRows::pack_taps(const std::byte* line, const Run& run, const Taps& taps, const PackedRows& rows) const {
  const ConvAxis& axis = axes_[2];
  // The outputs whose taps are all inside: 0 <= first + offset <= size - count.
  const int64_t pad = axis.pad - taps.offset, room = axis.size - taps.count + pad;
  const int64_t begin = std::clamp<int64_t>((pad + axis.stride - 1) / axis.stride - run.x, 0, run.count);
  int64_t end = room < 0 ? begin : std::clamp<int64_t>(room / axis.stride + 1 - run.x, begin, run.count);
  if (axis.upsampling > 1) end = begin;
  const int64_t first = axis.first(run.x) + taps.offset;
  for (int64_t i = 0; i < begin; ++i) pack_edge(line, first + i * axis.stride, taps, rows.from(i));
  if (end > begin) {
    rows.from(begin).copy(taps.k, taps.count * channels_, line + (first + begin * axis.stride) * pixel_bytes_,
                          axis.stride * pixel_bytes_, end - begin);
  }
  for (int64_t i = end; i < run.count; ++i) pack_edge(line, first + i * axis.stride, taps, rows.from(i));
}

// The taps of one line of the kernel; `line` is the line's first pixel.
void ConvRows::pack_line(const std::byte* line, const Run& run, int64_t k, const PackedRows& rows) const {
  const ConvAxis& axis = axes_[2];
  if (contiguous_) return pack_taps(line, run, {0, axis.kernel, k}, rows);
  for (int64_t tap = 0; tap < axis.kernel; ++tap)
    pack_taps(line, run, {tap * axis.dilation, 1, k + tap * channels_}, rows);
}

void ConvRows::pack(int64_t begin, int64_t count, const PackedRows& rows) const {
  const auto& [depth, height, width] = axes_;
  const auto* data = static_cast<const std::byte*>(input_.data) + first_channel_ * element_bytes_;
  const int64_t line_elements = width.kernel * channels_;
  for (int64_t r = 0; r < count;) {
    const int64_t line = (begin + r) / width.outputs, x = (begin + r) % width.outputs;
    const int64_t y = line % height.outputs, z = line / height.outputs % depth.outputs;
    const int64_t batch = line / height.outputs / depth.outputs;
    const Run run = {x, std::min(count - r, width.outputs - x)};
    int64_t k = 0;
    for (int64_t kz = 0; kz < depth.kernel; ++kz) {
      const int64_t iz = depth.element(depth.first(z) + kz * depth.dilation);
      for (int64_t ky = 0; ky < height.kernel; ++ky, k += line_elements) {
        const int64_t iy = height.element(height.first(y) + ky * height.dilation);
        if (iz < 0 || iy < 0) {
          rows.from(r).copy(k, line_elements, zeros_, 0, run.count);
        } else {
          const int64_t input_line = (batch * depth.size + iz) * height.size + iy;
          pack_line(data + input_line * width.size * pixel_bytes_, run, k, rows.from(r));
        }
      }
    }
    r += run.count;
  }
}

}  // namespace twofold::kernels
