// Real numbers to steps of a scale: what quantizing loops are built from, once for each instruction set. To be included
// after hwy/highway.h, by files that Highway compiles several times.
#if defined(TWOFOLD_SRC_NUMERIC_QUANTIZE_STEPS_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef TWOFOLD_SRC_NUMERIC_QUANTIZE_STEPS_H_
#undef TWOFOLD_SRC_NUMERIC_QUANTIZE_STEPS_H_
#else
#define TWOFOLD_SRC_NUMERIC_QUANTIZE_STEPS_H_
#endif

#include <cstddef>
#include <cstdint>

#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace twofold {
namespace HWY_NAMESPACE {

// The nearest integer, ties to even, of |v| < 2^22.
HWY_INLINE float nearest(float v) {
  constexpr float kMagic = 12582912.0F;  // 1.5 * 2^23: adding it pushes the fraction out
  return (v + kMagic) - kMagic;
}

HWY_INLINE float clamped(float v, float low, float high) {
  v = v < low ? low : v;
  return v > high ? high : v;
}

HWY_INLINE float number_or_zero(float v) { return v == v ? v : 0.0F; }

// How many steps a number is, before rounding, as a float32 division gives it: clamped to [low, high], NaN being 0.
// Clamping before the zero point is added keeps every value small enough for an exact float sum; clamping before
// rounding, to integers, changes nothing and keeps the fraction within reach of nearest().
struct StepsByDivision {
  float scale, low, high;

  HWY_INLINE float of(float x) const { return clamped(number_or_zero(x / scale), low, high); }
};

// The same quotients, to the bit, in a third of a division's time. The reciprocal in two parts gives them to less than
// one unit in the last place, and one step of Newton's method with an exact remainder then rounds them correctly
// (P. W. Markstein, "Computation of elementary functions on the IBM RISC System/6000 processor", 1990), unless
// something under- or overflows. Numbers are clamped first, to what saturates, so that nothing overflows; what
// underflows rounds to 0.
struct StepsByReciprocal {
  float scale, reciprocal, rest, least, most;

  HWY_INLINE StepsByReciprocal(float scale, float low, float high)
      : scale(scale),
        reciprocal(1.0F / scale),
        rest(__builtin_fmaf(-scale, reciprocal, 1.0F) * reciprocal),
        least(low * scale),
        most(high * scale) {}

  HWY_INLINE float of(float x) const {
    const float v = clamped(number_or_zero(x), least, most);
    const float near = __builtin_fmaf(v, reciprocal, v * rest);
    return __builtin_fmaf(__builtin_fmaf(-near, scale, v), reciprocal, near);
  }
};

constexpr bool kHasFma = HWY_ARCH_X86 ? HWY_TARGET <= HWY_AVX2 : HWY_TARGET == HWY_NEON;

// Beyond these scales, parts of the reciprocal or remainders could leave the range of normal numbers.
HWY_INLINE bool has_reciprocal(float scale) {
  constexpr float kSmall = 1.0F / (1ULL << 60), kLarge = 1ULL << 60;
  return kHasFma && scale > kSmall && scale < kLarge;
}

}  // namespace HWY_NAMESPACE
}  // namespace twofold
HWY_AFTER_NAMESPACE();

#endif  // TWOFOLD_SRC_NUMERIC_QUANTIZE_STEPS_H_
