// Error-compensated (ec) operands: one 16-bit integer written as two int8 digits in base 254 (docs/numerics.md, rule
// 3).
//
//   q1 = Q(x; s1)                 what plain int8 keeps
//   q2 = Q(x - s1 q1; s2)         its error, in steps of s2 = s1 / 254
//   v  = 254 q1 + q2,   x ~ s2 v
//
// Both Q are ONNX's QuantizeLinear to int8 and the arithmetic is float32, so that the exported graph, two Q/DQ pairs
// and a Sub, gives these digits in every runtime.
#ifndef TWOFOLD_SRC_NUMERIC_EC_H_
#define TWOFOLD_SRC_NUMERIC_EC_H_

#include <cstdint>
#include <span>

namespace twofold {

inline constexpr int32_t kEcBase = 254;

// s2, the scale of v and of the second digit.
inline float ec_residual_scale(float s1) { return s1 / static_cast<float>(kEcBase); }

// The digits joined: v in [-32640, 32385].
void ec_join(std::span<const int8_t> q1, std::span<const int8_t> q2, std::span<int16_t> v);

// Digits that join to v, q1 being the nearest multiple of 254 (ties to even): those that ec_quantize
// (quantize_channels.h) makes of s2 v. REQUIRES: equal sizes; v in [-32640, 32385].
void ec_split(std::span<const int16_t> v, std::span<int8_t> q1, std::span<int8_t> q2);

}  // namespace twofold

#endif  // TWOFOLD_SRC_NUMERIC_EC_H_
