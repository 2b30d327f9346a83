#ifndef TWOFOLD_SRC_OPS_KERNEL_AXES_H_
#define TWOFOLD_SRC_OPS_KERNEL_AXES_H_

#include <array>
#include <vector>

#include "kernels/conv_geometry.h"
#include "ops/window.h"

namespace twofold {

// The one to three axes of a window as the kernels of integer convolutions take them: absent axes, the outer ones, of
// size 1.
inline std::array<kernels::ConvAxis, 3> kernel_axes(const std::vector<WindowAxis>& axes) {
  std::array<kernels::ConvAxis, 3> result;
  for (size_t i = 0; i < axes.size(); ++i) {
    const WindowAxis& axis = axes[i];
    result[3 - axes.size() + i] = {axis.input, axis.kernel, axis.stride, axis.dilation, axis.pad_begin, axis.output};
  }
  return result;
}

}  // namespace twofold

#endif  // TWOFOLD_SRC_OPS_KERNEL_AXES_H_
