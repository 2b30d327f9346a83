// The geometry of a pool over up to three spatial axes, and the walk over the inputs ("taps") of one output.
#ifndef TWOFOLD_SRC_LOOPS_POOL_TAPS_H_
#define TWOFOLD_SRC_LOOPS_POOL_TAPS_H_

#include <algorithm>
#include <array>
#include <cstdint>
#include <vector>

#include "loops/window_axis.h"

namespace twofold {

struct PoolGeometry {
  int64_t batch = 1, channels = 1;
  std::array<WindowAxis, 3> axes;  // of depth, height and width; axes the input lacks are of size 1
  bool channels_last = false;

  int64_t input_size() const { return axes[0].input * axes[1].input * axes[2].input; }
  int64_t output_size() const { return axes[0].output * axes[1].output * axes[2].output; }
};

// The taps along one axis that lie inside the input: kernel positions [first, last).
struct TapRange {
  int64_t first, last;
};

inline TapRange tap_range(const WindowAxis& axis, int64_t output) {
  const int64_t start = axis.start(output);
  const int64_t first = start >= 0 ? 0 : (-start + axis.dilation - 1) / axis.dilation;
  const int64_t room = axis.input - 1 - start;
  return {first, room < 0 ? first : std::min(axis.kernel, room / axis.dilation + 1)};
}

// Calls body(position) for each tap of spatial output `o` in row-major order; positions count spatial inputs.
template <typename Body>
inline void for_each_tap(const PoolGeometry& g, int64_t o, const Body& body) {
  const int64_t w = o % g.axes[2].output;
  const int64_t h = o / g.axes[2].output % g.axes[1].output;
  const int64_t d = o / g.axes[2].output / g.axes[1].output;
  const TapRange range_d = tap_range(g.axes[0], d), range_h = tap_range(g.axes[1], h),
                 range_w = tap_range(g.axes[2], w);
  for (int64_t i = range_d.first; i < range_d.last; ++i) {
    const int64_t at_d = (g.axes[0].start(d) + i * g.axes[0].dilation) * g.axes[1].input;
    for (int64_t j = range_h.first; j < range_h.last; ++j) {
      const int64_t at_h = (at_d + g.axes[1].start(h) + j * g.axes[1].dilation) * g.axes[2].input;
      for (int64_t k = range_w.first; k < range_w.last; ++k) {
        body(at_h + g.axes[2].start(w) + k * g.axes[2].dilation);
      }
    }
  }
}

// Number of taps of output `o`; with `include_padding`, those in the padding too.
inline double count_taps(const PoolGeometry& g, int64_t o, bool include_padding) {
  double count = 1;
  for (size_t i = 3; i-- > 0;) {
    const WindowAxis& axis = g.axes[i];
    const int64_t at = o % axis.output;
    o /= axis.output;
    if (include_padding) {
      // A window that ceil_mode lets hang over the end of the padding counts only what is padding.
      const int64_t room = axis.input + axis.pad_end - 1 - axis.start(at);
      count *= room < 0 ? 0.0 : static_cast<double>(std::min(axis.kernel, room / axis.dilation + 1));
    } else {
      const TapRange range = tap_range(axis, at);
      count *= static_cast<double>(std::max<int64_t>(0, range.last - range.first));
    }
  }
  return count;
}

}  // namespace twofold

#endif  // TWOFOLD_SRC_LOOPS_POOL_TAPS_H_
