// Depthwise convolution: every channel with its own window.
#ifndef TWOFOLD_SRC_KERNELS_DEPTHWISE_H_
#define TWOFOLD_SRC_KERNELS_DEPTHWISE_H_

#include <array>
#include <cstdint>
#include <span>

#include "kernels/aligned_buffer.h"
#include "kernels/conv_geometry.h"
#include "kernels/epilogue.h"
#include "kernels/gemm.h"
#include "kernels/packed_b.h"

namespace twofold::kernels {

// A depthwise convolution's weights. `b` and the epilogue are those of the matrix [taps, channels]: the sums are its
// columns' dots with channels of the input, so zero points, bounds and corrections are the same. Immutable.
class Depthwise {
 public:
  // Whether this kernel serves `b`: sums need no chunks, and no sums of the input's rows.
  static bool serves(const PackedB& b);

  // REQUIRES: serves(b).
  explicit Depthwise(PackedB b, Epilogue epilogue);

  // As Conv::run.
  void run(const ConvInput& input, const std::array<ConvAxis, 3>& axes, std::span<const OutputRows> outputs) const;

 private:
  struct Group {
    int64_t first_channel;
    int channels;
  };
  void pack_weights();
  void run_line(const ConvInput& input, const std::array<ConvAxis, 3>& axes, int64_t line,
                std::span<const OutputRows> outputs, const std::byte* zeros) const;
  void run_strip(const std::byte* const* taps, int pixels, int64_t first_row,
                 std::span<const OutputRows> outputs) const;

  PackedB b_;
  Epilogue epilogue_;
  DepthwiseKernel kernel_;
  int vectors_;  // of a group
  int64_t taps_, padded_taps_;
  std::vector<Group> groups_;
  AlignedBuffer weights_, high_weights_;  // [group][cell][channel] cells
  std::vector<int32_t> init_;             // per channel, up to the end of the last group
};

}  // namespace twofold::kernels

#endif  // TWOFOLD_SRC_KERNELS_DEPTHWISE_H_
