// Integer convolution with requantization, on activations with channels last: docs/numerics.md, rules 4 and 5.
#ifndef TWOFOLD_SRC_KERNELS_CONV_H_
#define TWOFOLD_SRC_KERNELS_CONV_H_

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "kernels/aligned_buffer.h"
#include "kernels/conv_geometry.h"
#include "kernels/depthwise.h"
#include "kernels/gemm.h"

namespace twofold::kernels {

// Weights [M, C/group, kernel...] as ONNX's Conv has them, densely, and the integers their values are counted from.
struct ConvWeights {
  DType dtype = DType::kInt8;  // int8, uint8, int16 or uint16
  const void* data = nullptr;
  int64_t out_channels = 1, group_channels = 1;  // M, C/group
  std::array<int64_t, 3> kernel = {1, 1, 1};     // absent axes, the outer ones, have size 1
  int64_t group = 1;
  int32_t zero_point = 0;

  int64_t positions() const { return kernel[0] * kernel[1] * kernel[2]; }
};

// A convolution's weights, packed. Immutable; shareable by threads.
class Conv {
 public:
  // For inputs of type `a_dtype` with zero point `a_zero_point`; bias and outputs as Requantizer's, per output channel.
  // Memory that grows with the weights comes from `allocator`, which must outlive it, or from the heap without one.
  Conv(const ConvWeights& weights, DType a_dtype, int32_t a_zero_point, std::span<const int64_t> bias,
       std::span<const OutputForm> outputs, Allocator* allocator = nullptr);

  // Output i goes to outputs[i], a row per (batch, output position) of M channels; the last one to the sink if there is
  // one (gemm.h). Threads: parallel_for.
  // REQUIRES: the input's type and zero point are those given above, its channels group * group_channels; the axes have
  // the sizes of the kernel.
  void run(const ConvInput& input, const std::array<ConvAxis, 3>& axes, std::span<const OutputRows> outputs,
           const BlockSink* sink = nullptr) const;
  // Bytes of the packed weights.
  size_t packed_bytes() const;

 private:
  struct Group {
    PackedB weights;
    Requantizer requantizer;
  };
  int64_t out_channels_, group_channels_, group_count_;
  std::vector<std::ptrdiff_t> output_bytes_;  // of an element
  std::optional<Depthwise> depthwise_;
  AlignedVector<Group> groups_;    // without depthwise_
  AlignedVector<uint16_t> zeros_;  // zero points of a, for a line of taps
};

}  // namespace twofold::kernels

#endif  // TWOFOLD_SRC_KERNELS_CONV_H_
