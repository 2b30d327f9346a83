// Where the windows of a convolution lie.
#ifndef TWOFOLD_SRC_KERNELS_CONV_GEOMETRY_H_
#define TWOFOLD_SRC_KERNELS_CONV_GEOMETRY_H_

#include <array>
#include <cstdint>
#include <vector>

#include "twofold/dtype.h"

namespace twofold::kernels {

// The attributes of ONNX's Conv, one entry per spatial axis, of which there are 1 to 3 (pads: all begins, then all
// ends).
struct ConvWindow {
  std::vector<int64_t> kernel, strides, dilations, pads;
};

// A zero point as an element of its type, or as two elements of one byte.
inline uint16_t zero_element(DType dtype, int32_t zero_point) {
  const auto word = static_cast<uint16_t>(zero_point);
  return byte_size(dtype) == 2 ? word : static_cast<uint16_t>((word & 0xFFU) * 0x101U);
}

// Activations that lie as [batch, spatial..., channels], densely.
struct ConvInput {
  DType dtype = DType::kInt8;  // int8, uint8, int16 or uint16
  const void* data = nullptr;
  int64_t batch = 1;
  std::vector<int64_t> spatial;
  int64_t channels = 1;
  int32_t zero_point = 0;
};

// One spatial axis.
struct ConvAxis {
  int64_t size = 1, kernel = 1, stride = 1, dilation = 1, pad = 0;  // pad: at the beginning
  int64_t outputs = 1;
  // The window moves over the input with upsampling - 1 zeros between its elements, as that of a transposed convolution
  // does.
  int64_t upsampling = 1;

  // Where the first tap of an output lies; negative in the padding.
  int64_t first(int64_t output) const { return output * stride - pad; }
  // The element that a position holds, or -1 for padding and zeros between.
  int64_t element(int64_t position) const {
    if (upsampling == 1) return position >= 0 && position < size ? position : -1;  // spares the divisions
    return position >= 0 && position % upsampling == 0 && position / upsampling < size ? position / upsampling : -1;
  }
};

// The three axes of a window over an input, absent ones (the outer ones) of size 1.
// Throws Error(kInvalidArgument) if the window is larger than the padded input.
std::array<ConvAxis, 3> conv_axes(const ConvWindow& window, const std::vector<int64_t>& spatial);

}  // namespace twofold::kernels

#endif  // TWOFOLD_SRC_KERNELS_CONV_GEOMETRY_H_
