#include "kernels/conv_rows.h"

#include <algorithm>
#include <cstring>

namespace twofold::kernels {

ConvRows::ConvRows(const ConvInput& input, const std::array<ConvAxis, 3>& axes, int64_t first_channel, int64_t channels)
    : input_(input),
      axes_(axes),
      first_channel_(first_channel),
      channels_(channels),
      element_bytes_(static_cast<int64_t>(byte_size(input.dtype))),
      pixel_bytes_(input.channels * element_bytes_),
      contiguous_(channels == input.channels && axes[2].dilation == 1 && axes[2].upsampling == 1) {
  const auto bytes = static_cast<size_t>(element_bytes_);
  zero_run_.resize(static_cast<size_t>(axes[2].kernel * channels) * bytes);
  // The low bytes of an int32 are the integer of either type.
  for (size_t i = 0; i < zero_run_.size(); i += bytes) std::memcpy(zero_run_.data() + i, &input.zero_point, bytes);
}

// The taps of one line of the kernel: `line` is the line's first pixel, `first` the position of the first tap.
void ConvRows::pack_line(const std::byte* line, int64_t first, int64_t k, const PackedRow& row) const {
  const ConvAxis& axis = axes_[2];
  if (contiguous_) {
    const int64_t before = std::clamp<int64_t>(-first, 0, axis.kernel);
    const int64_t end = std::clamp<int64_t>(axis.size - first, before, axis.kernel);
    if (before > 0) row.copy(k, zero_run_.data(), before * channels_);
    if (end > before)
      row.copy(k + before * channels_, line + (first + before) * pixel_bytes_, (end - before) * channels_);
    if (end < axis.kernel) row.copy(k + end * channels_, zero_run_.data(), (axis.kernel - end) * channels_);
    return;
  }
  for (int64_t tap = 0; tap < axis.kernel; ++tap) {
    const int64_t x = axis.element(first + tap * axis.dilation);
    row.copy(k + tap * channels_, x >= 0 ? line + x * pixel_bytes_ : zero_run_.data(), channels_);
  }
}

void ConvRows::pack(int64_t begin, int64_t count, const RowForm& form, std::byte* rows) const {
  const auto& [depth, height, width] = axes_;
  const auto* data = static_cast<const std::byte*>(input_.data) + first_channel_ * element_bytes_;
  const int64_t line_elements = width.kernel * channels_;
  int64_t x = begin % width.outputs, y = begin / width.outputs % height.outputs;
  int64_t z = begin / width.outputs / height.outputs % depth.outputs;
  int64_t batch = begin / width.outputs / height.outputs / depth.outputs;
  for (int64_t r = 0; r < count; ++r) {
    const PackedRow row(form, rows + r * form.stride);
    const int64_t ix = width.first(x);
    const bool in_line = contiguous_ && ix >= 0 && ix + width.kernel <= width.size;
    int64_t k = 0;
    for (int64_t kz = 0; kz < depth.kernel; ++kz) {
      const int64_t iz = depth.element(depth.first(z) + kz * depth.dilation);
      for (int64_t ky = 0; ky < height.kernel; ++ky, k += line_elements) {
        const int64_t iy = height.element(height.first(y) + ky * height.dilation);
        if (iz < 0 || iy < 0) {
          row.copy(k, zero_run_.data(), line_elements);
          continue;
        }
        const std::byte* line = data + ((batch * depth.size + iz) * height.size + iy) * width.size * pixel_bytes_;
        if (in_line) {
          row.copy(k, line + ix * pixel_bytes_, line_elements);
        } else {
          pack_line(line, ix, k, row);
        }
      }
    }
    if (++x < width.outputs) continue;
    x = 0;
    if (++y < height.outputs) continue;
    y = 0;
    if (++z < depth.outputs) continue;
    z = 0;
    ++batch;
  }
}

}  // namespace twofold::kernels
