// Conversion between the layouts of a tensor.
#ifndef TWOFOLD_SRC_LOOPS_LAYOUT_H_
#define TWOFOLD_SRC_LOOPS_LAYOUT_H_

#include "twofold/tensor.h"

namespace twofold {

// The same elements in another layout; the tensor itself where it is in that layout already.
// REQUIRES: rank >= 3 for kChannelsLast.
Tensor to_layout(const Tensor& tensor, Layout layout, Allocator* allocator = nullptr);

}  // namespace twofold

#endif  // TWOFOLD_SRC_LOOPS_LAYOUT_H_
