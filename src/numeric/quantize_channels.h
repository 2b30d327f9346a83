// Arrays to integers and back, with one scale or one per channel: docs/numerics.md, rules 1 and 3. The same bits for
// any number of threads and any instruction set. (quantize.h has the loops of kernels, on blocks of one scale.)
#ifndef TWOFOLD_SRC_NUMERIC_QUANTIZE_CHANNELS_H_
#define TWOFOLD_SRC_NUMERIC_QUANTIZE_CHANNELS_H_

#include <cstdint>
#include <span>

#include "numeric/channel_scales.h"

namespace twofold {

// REQUIRES: every array has scales.size() elements. Types and ranges of integers are as in quantize.h.

// q = saturate(round_half_even(x / scale) + zero_point); NaN gives the zero point.
// T: int8_t, uint8_t, int16_t or uint16_t.
template <typename T>
void quantize(std::span<const float> x, const ChannelScales& scales, std::span<T> q);

// x = (q - zero_point) * scale, in float32. T as above, or int32_t.
template <typename T>
void dequantize(std::span<const T> q, const ChannelScales& scales, std::span<float> x);

// The two digits of ec, and both joined; NaN gives 0. REQUIRES: no zero points.
void ec_quantize(std::span<const float> x, const ChannelScales& scales, std::span<int8_t> q1, std::span<int8_t> q2);
void ec_quantize(std::span<const float> x, const ChannelScales& scales, std::span<int16_t> v);

}  // namespace twofold

#endif  // TWOFOLD_SRC_NUMERIC_QUANTIZE_CHANNELS_H_
