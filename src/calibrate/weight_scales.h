// Scales of constant weights.
#ifndef TWOFOLD_SRC_CALIBRATE_WEIGHT_SCALES_H_
#define TWOFOLD_SRC_CALIBRATE_WEIGHT_SCALES_H_

#include <vector>

#include "twofold/dtype.h"
#include "twofold/tensor.h"

namespace twofold {

// The symmetric scale of each slice along `channel_axis`, from its largest |w|; one scale of the whole tensor for
// channel_axis = -1. Throws Error(kInvalidArgument) on NaN or infinity and on a dtype other than float32.
// REQUIRES: -1 <= channel_axis < rank, plain layout, is_integer(qtype).
std::vector<float> weight_scales(const Tensor& weights, int channel_axis, QType qtype);

}  // namespace twofold

#endif  // TWOFOLD_SRC_CALIBRATE_WEIGHT_SCALES_H_
