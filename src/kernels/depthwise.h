// Depthwise convolution: every channel with its own window.
#ifndef TWOFOLD_SRC_KERNELS_DEPTHWISE_H_
#define TWOFOLD_SRC_KERNELS_DEPTHWISE_H_

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "kernels/aligned_buffer.h"
#include "kernels/conv_geometry.h"
#include "kernels/gemm.h"
#include "kernels/packed_b.h"
#include "kernels/requantizer.h"

namespace twofold::kernels {

// A depthwise convolution's weights. Immutable; shareable by threads.
class Depthwise {
 public:
  // `weights` [C,taps], dense, of windows of kernel[0] x kernel[1] x kernel[2] taps; the rest as Conv's. None where
  // this kernel does not serve: where the sums need chunks of taps, or sums of the input.
  static std::optional<Depthwise> make(DType dtype, const void* weights, int64_t channels,
                                       const std::array<int64_t, 3>& kernel, int32_t zero_point, DType a_dtype,
                                       int32_t a_zero_point, std::span<const int64_t> bias,
                                       std::span<const OutputForm> outputs, Allocator* allocator);

  // As Conv::run.
  void run(const ConvInput& input, const std::array<ConvAxis, 3>& axes, std::span<const OutputRows> outputs,
           const BlockSink* sink = nullptr) const;
  // Bytes of the packed weights.
  size_t packed_bytes() const { return weights_.size() + high_weights_.size(); }

 private:
  // Channels that the kernel takes at once.
  struct Group {
    int64_t first_channel;
    int channels;
    std::ptrdiff_t weights;  // bytes
  };
  // Some lines of output, and the same pixels of each.
  struct Piece {
    int64_t line, lines, first, pixels;
  };
  // What a call writes to. `block` takes the last output of a strip for the sink, if there is one. With a fused kernel
  // there is one output; fused_outputs has its first row for each group.
  struct Destination {
    std::span<const OutputRows> outputs;
    const BlockSink* sink;
    std::byte* block;
    DepthwiseKernel fused;
    std::span<const TileOutput> fused_outputs;
  };

  Depthwise(PackedB b, Requantizer requantizer, int64_t rows, int64_t width, Allocator* allocator);
  void pack_weights(Allocator* allocator);
  void prepare_starts();
  void run_lines(const ConvInput& input, const std::array<ConvAxis, 3>& axes, int64_t begin, int64_t end,
                 std::span<const OutputRows> outputs, const BlockSink* sink) const;
  DepthwiseStrip strip_of(const ConvAxis& width) const;
  void place_taps(const ConvInput& input, const std::array<ConvAxis, 3>& axes, const Piece& piece,
                  const std::byte* zeros, const std::byte** taps) const;
  void run_piece(const Piece& piece, DepthwiseStrip strip, int64_t of_strip, const ConvAxis& width,
                 const std::byte* const* taps, int64_t line_taps, const Destination& to) const;
  TileOutput output_of(const Destination& to, size_t i, int64_t row, const Group& group) const;
  void begin_group(DepthwiseStrip& strip, size_t g) const;
  void run_strip(DepthwiseStrip& strip, int64_t first_row, size_t g, const Destination& to) const;
  DepthwiseKernel fused_kernel() const;
  void run_unfused(DepthwiseStrip& strip, int64_t first_row, const Group& group, const Destination& to) const;

  // The weights as a matrix [taps, channels], taps column by column of the window, each filled up to whole cells: the
  // sums are dots of its columns with channels of the input, so zero points, bounds and corrections are a matrix's.
  // The elements themselves are dropped when the groups' cells have been made of them.
  // Where sums of 16 x 16 bits could leave int32, weights are split into 256 high + low, whose sums cannot.
  PackedB b_;
  Requantizer requantizer_;
  int taps_of_cell_;
  int64_t rows_, width_;  // of the window
  AlignedVector<Group> groups_;
  bool split_;
  SumsKind kind_;
  const DepthwiseKernels* kernels_;
  AlignedBuffer weights_, high_weights_;  // per group [tap of a row][cell][channel] cells
  // Per channel, what the sums start from: the offset if kind_ is not kDouble, in either part of split ones, or 0.
  AlignedVector<int32_t> init_, high_init_;
};

}  // namespace twofold::kernels

#endif  // TWOFOLD_SRC_KERNELS_DEPTHWISE_H_
