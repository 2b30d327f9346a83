// The windows of ConvTranspose: its attributes, and the sizes that follow from them.
#ifndef TWOFOLD_SRC_OPS_TRANSPOSED_WINDOW_H_
#define TWOFOLD_SRC_OPS_TRANSPOSED_WINDOW_H_

#include <span>
#include <vector>

#include "ops/window.h"

namespace twofold {

struct TransposedWindow {
  WindowAttributes window;
  std::vector<int64_t> output_padding, output_shape;

  // Throws Error(kInvalidModel) naming an attribute with a bad value.
  static TransposedWindow read(const Attributes& attributes);

  // The axes of an [N,C,spatial...] shape: position k of the window over input i adds to output
  // i * stride + k * dilation - pad_begin. Throws Error where the sizes do not fit.
  std::vector<WindowAxis> axes(const Shape& x, std::span<const int64_t> kernel) const;

  // Whether the windows tile the output: every output position belongs to one input position.
  bool tiles(std::span<const int64_t> kernel) const;
};

}  // namespace twofold

#endif  // TWOFOLD_SRC_OPS_TRANSPOSED_WINDOW_H_
