// Which channel an element of a tensor belongs to.
#ifndef TWOFOLD_SRC_DEBUG_CHANNEL_OF_H_
#define TWOFOLD_SRC_DEBUG_CHANNEL_OF_H_

#include <cstddef>
#include <cstdint>

#include "twofold/tensor.h"

namespace twofold {

// Of a tensor in plain layout; all elements are of one channel where the axis is -1.
class ChannelOf {
 public:
  ChannelOf(const Shape& shape, int axis) {
    if (axis < 0) return;
    count_ = shape[static_cast<size_t>(axis)];
    inner_ = 1;
    for (size_t d = static_cast<size_t>(axis) + 1; d < shape.size(); ++d) inner_ *= shape[d];
  }

  size_t count() const { return static_cast<size_t>(count_); }
  // REQUIRES: the tensor is not empty.
  size_t operator()(size_t element) const {
    return count_ == 1 ? 0 : static_cast<size_t>(static_cast<int64_t>(element) / inner_ % count_);
  }

 private:
  int64_t count_ = 1, inner_ = 1;
};

}  // namespace twofold

#endif  // TWOFOLD_SRC_DEBUG_CHANNEL_OF_H_
