// A window that slides along one axis, as those of convolutions and pools do.
#ifndef TWOFOLD_SRC_LOOPS_WINDOW_AXIS_H_
#define TWOFOLD_SRC_LOOPS_WINDOW_AXIS_H_

#include <cstdint>

namespace twofold {

// The windows along one axis. Window o covers positions o * stride - pad_begin + k * dilation for k in [0, kernel).
struct WindowAxis {
  int64_t input = 0, output = 0;
  int64_t kernel = 1, stride = 1, dilation = 1;
  int64_t pad_begin = 0, pad_end = 0;

  int64_t extent() const { return (kernel - 1) * dilation + 1; }
  int64_t start(int64_t o) const { return o * stride - pad_begin; }
};

}  // namespace twofold

#endif  // TWOFOLD_SRC_LOOPS_WINDOW_AXIS_H_
