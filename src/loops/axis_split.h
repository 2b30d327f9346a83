// A shape seen from one axis: [outer, axis, inner].
#ifndef TWOFOLD_SRC_LOOPS_AXIS_SPLIT_H_
#define TWOFOLD_SRC_LOOPS_AXIS_SPLIT_H_

#include "twofold/tensor.h"

namespace twofold {

struct AxisSplit {
  int64_t outer = 1, axis = 1, inner = 1;
};

// REQUIRES: 0 <= axis < shape.size().
inline AxisSplit split_at(const Shape& shape, int64_t axis) {
  AxisSplit split;
  for (size_t i = 0; i < shape.size(); ++i) {
    const auto position = static_cast<int64_t>(i);
    (position < axis ? split.outer : position == axis ? split.axis : split.inner) *= shape[i];
  }
  return split;
}

}  // namespace twofold

#endif  // TWOFOLD_SRC_LOOPS_AXIS_SPLIT_H_
