// float16 (IEEE binary16) and bfloat16 as their 16-bit patterns.
#ifndef TWOFOLD_SRC_NUMERIC_FLOAT16_H_
#define TWOFOLD_SRC_NUMERIC_FLOAT16_H_

#include <bit>
#include <cstdint>

namespace twofold {

inline float float16_to_float(uint16_t half) {
  const uint32_t sign = static_cast<uint32_t>(half & 0x8000) << 16, magnitude = half & 0x7fff;
  uint32_t bits = (magnitude << 13) + (112u << 23);
  if (magnitude >= 0x7c00) bits += 112u << 23;                                                       // infinity, NaN
  if (magnitude < 0x0400) bits = std::bit_cast<uint32_t>(static_cast<float>(magnitude) * 0x1p-24F);  // denormal
  return std::bit_cast<float>(bits | sign);
}

// Round to nearest even; 65520 and more become infinity. NaN stays NaN.
inline uint16_t float_to_float16(float x) {
  const uint32_t bits = std::bit_cast<uint32_t>(x), magnitude = bits & 0x7fffffff;
  uint32_t half;
  if (magnitude > 0x7f800000) {
    half = 0x7e00;
  } else if (magnitude >= 0x477ff000) {
    half = 0x7c00;
  } else if (magnitude < 0x38800000) {
    // 0.5 has the last place of a float16 denormal, so the sum rounds there.
    half = std::bit_cast<uint32_t>(std::bit_cast<float>(magnitude) + 0.5F) - 0x3f000000;
  } else {
    half = (magnitude + 0xfff + ((magnitude >> 13) & 1) - (112u << 23)) >> 13;
  }
  return static_cast<uint16_t>(half | ((bits >> 16) & 0x8000));
}

inline float bfloat16_to_float(uint16_t half) { return std::bit_cast<float>(static_cast<uint32_t>(half) << 16); }

// Round to nearest even. NaN stays NaN.
inline uint16_t float_to_bfloat16(float x) {
  const uint32_t bits = std::bit_cast<uint32_t>(x);
  if ((bits & 0x7fffffff) > 0x7f800000) return static_cast<uint16_t>((bits >> 16) | 0x40);
  return static_cast<uint16_t>((bits + 0x7fff + ((bits >> 16) & 1)) >> 16);
}

}  // namespace twofold

#endif  // TWOFOLD_SRC_NUMERIC_FLOAT16_H_
