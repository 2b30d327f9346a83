// Tensors and their quantization parameters: the integers, what these stand for, and both steps at once. One scale, or
// one per channel along any axis. The arrays of other programs: quantize_channels.h.
#ifndef TWOFOLD_SRC_NUMERIC_QUANTIZE_TENSOR_H_
#define TWOFOLD_SRC_NUMERIC_QUANTIZE_TENSOR_H_

#include "numeric/channel_scales.h"
#include "numeric/qparams.h"
#include "twofold/tensor.h"

namespace twofold {

// REQUIRES everywhere: x is float32; tensors with more than one scale are in plain layout.

// Into and out of a tensor q of integers of x's shape, for which `scales` was made: int8, uint8, int16, uint16, and,
// to be dequantized, int32.
void quantize(const Tensor& x, const ChannelScales& scales, Tensor& q);
void dequantize(const Tensor& q, const ChannelScales& scales, Tensor& x);

// int8 or int16; with ec the joined digits, as int16. And the way back. REQUIRES: is_integer(params.qtype).
Tensor quantize(const Tensor& x, const QParams& params);
Tensor dequantize(const Tensor& q, const QParams& params);

// dequantize(quantize(x)), in one pass.
Tensor fake_quantize(const Tensor& x, const QParams& params);

// The two digits of ec, int8 each. REQUIRES: params.qtype is kEc.
struct EcDigits {
  Tensor first, second;
};
EcDigits quantize_to_digits(const Tensor& x, const QParams& params);

}  // namespace twofold

#endif  // TWOFOLD_SRC_NUMERIC_QUANTIZE_TENSOR_H_
