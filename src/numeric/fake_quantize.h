// Quantizing and dequantizing in one pass, and the gradients that training takes of it: docs/numerics.md, rules 1
// and 3. The same bits for any number of threads and any instruction set.
#ifndef TWOFOLD_SRC_NUMERIC_FAKE_QUANTIZE_H_
#define TWOFOLD_SRC_NUMERIC_FAKE_QUANTIZE_H_

#include <cstdint>
#include <span>

#include "numeric/channel_scales.h"
#include "twofold/dtype.h"

namespace twofold {

// The integers that numbers are rounded to. REQUIRES: low <= zero point <= high, magnitudes of at most 2^16.
struct IntegerRange {
  int32_t low, high;
};

// REQUIRES everywhere: every array has scales.size() elements; with ec there are no zero points. Outputs may be inputs.

// y: what x stands for once it is quantized; with ec, the joined digits times the second one's scale.
void fake_quantize(std::span<const float> x, IntegerRange range, const ChannelScales& scales, std::span<float> y);
void fake_quantize_ec(std::span<const float> x, const ChannelScales& scales, std::span<float> y);
// REQUIRES: is_integer(qtype).
void fake_quantize(std::span<const float> x, QType qtype, const ChannelScales& scales, std::span<float> y);

// The straight-through gradient: that of y where x is rounded, 0 where it is clipped or NaN. What is clipped is found
// again from x, which costs less than memory for it would.
void fake_quantize_backward(std::span<const float> y_gradient, std::span<const float> x, IntegerRange range,
                            const ChannelScales& scales, std::span<float> x_gradient);
void fake_quantize_ec_backward(std::span<const float> y_gradient, std::span<const float> x, const ChannelScales& scales,
                               std::span<float> x_gradient);

// The same, and the gradient of each scale (S. K. Esser et al., "Learned step size quantization", ICLR 2020): the sum
// of y_gradient times q - x / scale where x is rounded to q steps, times what q saturates at where it is clipped, and
// times 0 where it is NaN. Terms are float32, with a division; they are added up in double, in an order that depends on
// the shape alone. REQUIRES: as many scale gradients as channels.
void fake_quantize_learned_backward(std::span<const float> y_gradient, std::span<const float> x, IntegerRange range,
                                    const ChannelScales& scales, std::span<float> x_gradient,
                                    std::span<double> scale_gradient);

}  // namespace twofold

#endif  // TWOFOLD_SRC_NUMERIC_FAKE_QUANTIZE_H_
