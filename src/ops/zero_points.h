// The zero points of QuantizeLinear and DequantizeLinear as numbers.
#ifndef TWOFOLD_SRC_OPS_ZERO_POINTS_H_
#define TWOFOLD_SRC_OPS_ZERO_POINTS_H_

#include <cstdint>
#include <optional>
#include <vector>

#include "twofold/tensor.h"

namespace twofold {

// One number per element; nothing where the type is none that a zero point may have: int8, uint8, int16, uint16, int32.
std::optional<std::vector<int32_t>> zero_point_values(const Tensor& zero_points);

}  // namespace twofold

#endif  // TWOFOLD_SRC_OPS_ZERO_POINTS_H_
