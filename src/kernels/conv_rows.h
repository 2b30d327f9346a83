// The windows of a convolution as rows of a matrix, without the matrix.
#ifndef TWOFOLD_SRC_KERNELS_CONV_ROWS_H_
#define TWOFOLD_SRC_KERNELS_CONV_ROWS_H_

#include <array>
#include <cstdint>

#include "kernels/conv_geometry.h"
#include "kernels/row_source.h"

namespace twofold::kernels {

// Row (batch, output position), K = (kernel position, channel of the group). Taps in the padding are the zero point,
// which counts as 0.
class ConvRows final : public RowSource {
 public:
  // Channels [first_channel, first_channel + channels) of `input`. `zeros` are the zero points of a line of taps. Both
  // have to live as long as this.
  ConvRows(const ConvInput& input, const std::array<ConvAxis, 3>& axes, int64_t first_channel, int64_t channels,
           const std::byte* zeros);
  int64_t rows() const override { return input_.batch * axes_[0].outputs * axes_[1].outputs * axes_[2].outputs; }
  int64_t k() const override { return axes_[0].kernel * axes_[1].kernel * axes_[2].kernel * channels_; }
  DType dtype() const override { return input_.dtype; }
  void pack(int64_t begin, int64_t count, const PackedRows& rows) const override;

 private:
  // A run of output positions of one line.
  struct Run {
    int64_t x, count;
  };
  // Neighbouring taps of a line of the kernel: `offset` positions behind its first one.
  struct Taps {
    int64_t offset, count, k;
  };
  void pack_line(const std::byte* line, const Run& run, int64_t k, const PackedRows& rows) const;
  void pack_taps(const std::byte* line, const Run& run, const Taps& taps, const PackedRows& rows) const;
  void pack_edge(const std::byte* line, int64_t first, const Taps& taps, const PackedRows& row) const;

  const ConvInput& input_;
  std::array<ConvAxis, 3> axes_;
  int64_t first_channel_, channels_;
  int64_t element_bytes_, pixel_bytes_;
  bool contiguous_;  // the taps of a line lie side by side
  const std::byte* zeros_;
};

}  // namespace twofold::kernels

#endif  // TWOFOLD_SRC_KERNELS_CONV_ROWS_H_
