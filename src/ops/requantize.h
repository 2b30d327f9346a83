// From exact accumulators to outputs: rule 5 of docs/numerics.md, written as the specification reads.
#ifndef TWOFOLD_SRC_OPS_REQUANTIZE_H_
#define TWOFOLD_SRC_OPS_REQUANTIZE_H_

#include <cstdint>
#include <span>
#include <vector>

#include "ops/op.h"

namespace twofold {

// One output of an integer operator. Several outputs share one accumulator where an edge is needed at several
// precisions.
struct OutputForm {
  DType dtype = DType::kFloat32;  // int8, uint8, int16, uint16; float32: acc * s_a * s_b itself
  float scale = 1;
  int32_t zero_point = 0;
  int32_t low = 0, high = 0;  // saturation; a fused Relu or Clip narrows it
};

// acc[i] belongs to channel (i / inner) % channels.
struct ChannelGrid {
  int64_t channels = 1;
  int64_t inner = 1;
};

// Accumulators (exact integers held in doubles) to one output, in place order:
//   y = saturate(round_half_even(acc * M_c) + zero_point),  M_c = double(s_a) double(s_b[c]) / double(s_y);
//   float32: y = float(acc * double(s_a) * double(s_b[c])).
// `s_b` has one scale, or one per channel. REQUIRES: y has acc's size and form.dtype.
void requantize(std::span<const double> acc, const ChannelGrid& grid, float s_a, std::span<const float> s_b,
                const OutputForm& form, Tensor& y);

}  // namespace twofold

#endif  // TWOFOLD_SRC_OPS_REQUANTIZE_H_
