// The sliding windows of Conv, ConvTranspose and the pools: attributes read and checked, and sizes computed.
#ifndef TWOFOLD_SRC_OPS_WINDOW_H_
#define TWOFOLD_SRC_OPS_WINDOW_H_

#include <cstdint>
#include <vector>

#include "graph/attribute.h"
#include "loops/window_axis.h"
#include "twofold/tensor.h"

namespace twofold {

enum class AutoPad : uint8_t { kNotSet, kValid, kSameUpper, kSameLower };

// The attributes kernel_shape, strides, dilations, pads, auto_pad and ceil_mode, one entry per spatial axis.
// Vectors the file leaves out are filled by with_rank().
struct WindowAttributes {
  std::vector<int64_t> kernel, strides, dilations, pads;
  AutoPad auto_pad = AutoPad::kNotSet;
  bool ceil_mode = false;

  // Throws Error(kInvalidModel) naming an attribute with a bad value.
  static WindowAttributes read(const Attributes& attributes);
  // The same with every vector of `spatial` (pads: 2 * spatial) entries; `kernel` is taken where the file has none.
  // Throws Error(kInvalidModel) where a vector has another length.
  WindowAttributes with_rank(int spatial, std::span<const int64_t> kernel) const;
  // Axis i with the padding of `pads`; its output is not known yet. REQUIRES: every vector is filled.
  WindowAxis axis(size_t i, int64_t input) const;
};

// The axes of a Conv or pool over the spatial dimensions of an [N,C,spatial...] shape.
// Throws Error(kInvalidModel) where a window does not fit its padded input.
std::vector<WindowAxis> window_axes(const WindowAttributes& attributes, const Shape& input);

// Checks that a tensor is [N,C,spatial...] with 1 to 3 spatial dimensions; returns their number.
// Throws Error(kInvalidModel) (more than 3: kUnsupported) saying what it is of `what`, e.g. "input X".
int spatial_rank(const Shape& shape, const char* what);

}  // namespace twofold

#endif  // TWOFOLD_SRC_OPS_WINDOW_H_
