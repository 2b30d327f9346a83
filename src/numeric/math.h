// Twofold's own elementary functions, float32 to float32: the only transcendentals that operators use, so that a
// network gives the same bits on every CPU and instruction set (docs/numerics.md, rule 7). No libm, no FMA, no branch.
//
// Every function takes any float32. NaN gives NaN; infinities, zeros and denormals give what Annex F of C says. The
// error stated is the largest that tests/numeric/math_test.cc allows against long double over all exponents, in ulp
// of the result; a correctly rounded result has at most 0.5.
#ifndef TWOFOLD_SRC_NUMERIC_MATH_H_
#define TWOFOLD_SRC_NUMERIC_MATH_H_

#include "numeric/math_core.h"
#include "numeric/quantize.h"

namespace twofold::math {

// e^x and e^x - 1. 0.51 ulp.
TWOFOLD_INLINE float exp(float x) { return static_cast<float>(core::exp(core::clamp(x, -110.0, 90.0))); }
TWOFOLD_INLINE float expm1(float x) {
  return std::copysign(static_cast<float>(core::expm1(core::clamp(x, -110.0, 90.0))), x);
}

// e^x for x <= 0 or NaN, in float32 alone: at more than twice the speed, what Softmax is made of. 0.7 ulp, and 0 where
// e^x is below 2^-126. Any other x gives a meaningless value.
// Cody-Waite reduction as in exp_parts, with the rounding errors of r and of 1 + r added back; e^r = 1 + r + r^2 P(r),
// deg P = 4 (least squares reweighted until the error is level, 2^-28).
TWOFOLD_INLINE float exp_nonpositive(float x) {
  constexpr float kLow = -0x1.5d589ep+6F;     // ln 2^-126
  constexpr float kRoundMagic = 12582912.0F;  // 1.5 * 2^23
  const float clamped = x < kLow ? kLow : x;
  const float shifted = clamped * 0x1.715476p+0F + kRoundMagic;
  const float n = shifted - kRoundMagic;
  const float high = clamped - n * 0x1.62e4p-1F;  // exact
  const float low = n * 0x1.7f7d1cp-20F;
  const float r = high - low;
  float p = 0x1.6a23cep-10F;
  p = p * r + 0x1.123a2p-7F;
  p = p * r + 0x1.5558f2p-5F;
  p = p * r + 0x1.555492p-3F;
  p = p * r + 0x1.fffffcp-2F;
  const float sum = 1.0F + r;
  const float rest = (r - (sum - 1.0F)) + ((high - r) - low) + r * r * p;
  const auto power = std::bit_cast<float>((std::bit_cast<uint32_t>(shifted) + 127) << 23);
  return x < kLow ? 0.0F : (sum + rest) * power;
}

// Natural logarithm. 0.51 ulp.
TWOFOLD_INLINE float log(float x) { return static_cast<float>(core::log(x)); }

// IEEE square root. 0.5 ulp.
TWOFOLD_INLINE float sqrt(float x) { return std::sqrt(x); }

// base^exponent. 0.51 ulp; base^2 is base * base.
TWOFOLD_INLINE float pow(float base, float exponent) {
  const double x = base, y = exponent, magnitude = std::fabs(x);
  const double half = y * 0.5;
  const bool is_integer = round_half_even(y) == y;
  const bool is_odd = is_integer & (round_half_even(half) != half);
  double z = core::exp(core::clamp(y * core::log(magnitude), -110.0, 90.0));
  z = is_odd ? std::copysign(z, x) : z;
  z = ((x < 0) & (magnitude < core::kInf) & !is_integer) ? core::kNan : z;
  // 1^y and x^0 are 1 even for NaN, and (-1)^inf is 1.
  z = ((x == 1) | (y == 0) | ((x == -1) & (std::fabs(y) == core::kInf))) ? 1.0 : z;
  return y == 2 ? base * base : static_cast<float>(z);
}

// 0.55 ulp.
TWOFOLD_INLINE float erf(float x) { return static_cast<float>(core::erf(x)); }

// 1 / (1 + e^-x). 0.51 ulp.
TWOFOLD_INLINE float sigmoid(float x) {
  return static_cast<float>(1.0 / (1.0 + core::exp(core::clamp(-static_cast<double>(x), -110.0, 110.0))));
}

// Hyperbolic functions and their inverses. 0.51 ulp.
TWOFOLD_INLINE float tanh(float x) {
  const double e = core::expm1(core::clamp(2.0 * std::fabs(static_cast<double>(x)), 0.0, 40.0));
  return std::copysign(static_cast<float>(e / (e + 2.0)), x);
}
TWOFOLD_INLINE float sinh(float x) {
  const double e = core::expm1(core::clamp(std::fabs(static_cast<double>(x)), 0.0, 90.0));
  return std::copysign(static_cast<float>(0.5 * (e + e / (e + 1.0))), x);
}
TWOFOLD_INLINE float cosh(float x) {
  const double e = core::exp(core::clamp(std::fabs(static_cast<double>(x)), 0.0, 90.0));
  return static_cast<float>(0.5 * (e + 1.0 / e));
}
TWOFOLD_INLINE float asinh(float x) {
  const double a = std::fabs(static_cast<double>(x));
  const double y = core::log1p(a + a * a / (1.0 + std::sqrt(1.0 + a * a)));
  return std::copysign(static_cast<float>(a < core::kInf ? y : a), x);
}
TWOFOLD_INLINE float acosh(float x) {
  const double t = static_cast<double>(x) - 1.0;
  const double y = core::log1p(t + std::sqrt(t * (t + 2.0)));
  return static_cast<float>(t >= 0 ? y : core::kNan);
}
TWOFOLD_INLINE float atanh(float x) {
  const double a = std::fabs(static_cast<double>(x));
  const double y = 0.5 * core::log1p(2.0 * a / (1.0 - a));
  return std::copysign(static_cast<float>(a <= 1.0 ? y : core::kNan), x);
}

// Trigonometric functions of any angle in radians; infinities give NaN. 0.51 ulp.
TWOFOLD_INLINE float sin(float x) {
  const core::Angle a = core::reduce_angle(x);
  const double y = (a.quadrant & 1) != 0 ? a.cos : a.sin;
  const auto magnitude = static_cast<float>((a.quadrant & 2) != 0 ? -y : y);
  return std::signbit(x) ? -magnitude : magnitude;
}
TWOFOLD_INLINE float cos(float x) {
  const core::Angle a = core::reduce_angle(x);
  const double y = (a.quadrant & 1) != 0 ? a.sin : a.cos;
  return static_cast<float>(((a.quadrant + 1) & 2) != 0 ? -y : y);
}
TWOFOLD_INLINE float tan(float x) {
  const core::Angle a = core::reduce_angle(x);
  const bool swapped = (a.quadrant & 1) != 0;
  const auto y = static_cast<float>((swapped ? -a.cos : a.sin) / (swapped ? a.sin : a.cos));
  return std::signbit(x) ? -y : y;
}

// Inverse trigonometric functions; NaN outside their domain. 0.51 ulp. The products below are exact, or nearly.
TWOFOLD_INLINE float atan(float x) {
  return std::copysign(static_cast<float>(core::atan(std::fabs(static_cast<double>(x)))), x);
}
TWOFOLD_INLINE float asin(float x) {
  const double a = std::fabs(static_cast<double>(x));
  return std::copysign(static_cast<float>(core::atan(a / std::sqrt((1.0 - a) * (1.0 + a)))), x);
}
TWOFOLD_INLINE float acos(float x) {
  const double a = x;
  return static_cast<float>(2.0 * core::atan(std::sqrt((1.0 - a) / (1.0 + a))));
}

// log(1 + e^x). 0.51 ulp.
TWOFOLD_INLINE float softplus(float x) {
  const double a = x;
  return static_cast<float>((a > 0 ? a : 0.0) + core::log1p(core::exp(core::clamp(-std::fabs(a), -110.0, 0.0))));
}

// Below this the functions that behave like x e^x give -0, -infinity included.
inline constexpr double kSwishLow = -1e30;

// x * sigmoid(beta * x), in double until the end. 0.51 ulp for beta = 1.
TWOFOLD_INLINE float swish(float x, float beta) {
  const double a = core::clamp(x, kSwishLow, core::kInf);
  return static_cast<float>(a / (1.0 + core::exp(core::clamp(-a * beta, -700.0, 700.0))));
}

// x * tanh(softplus(x)); with e = e^x the tangent is (e^2 + 2e) / (e^2 + 2e + 2). 0.51 ulp.
TWOFOLD_INLINE float mish(float x) {
  const double a = core::clamp(x, kSwishLow, core::kInf), e = core::exp(core::clamp(a, -700.0, 40.0));
  const double n = e * (e + 2.0);
  return static_cast<float>(a * (n / (n + 2.0)));
}

// x (1 + erf(x / sqrt 2)) / 2. 0.55 ulp for x > 0; absolute error 2^-26 |x| for x < 0, where the sum cancels.
TWOFOLD_INLINE float gelu(float x) {
  const double a = core::clamp(x, kSwishLow, core::kInf);
  return static_cast<float>(0.5 * a * (1.0 + core::erf(a * 0x1.6a09e667f3bcdp-1)));
}

// Gelu with erf replaced by tanh: x sigmoid(2 sqrt(2/pi) (x + 0.044715 x^3)). 0.51 ulp.
TWOFOLD_INLINE float gelu_tanh(float x) {
  const double a = core::clamp(x, kSwishLow, core::kInf);
  const double u = 2.0 * 0x1.9884533d43651p-1 * (a + 0.044715 * a * a * a);
  return static_cast<float>(a / (1.0 + core::exp(core::clamp(-u, -700.0, 700.0))));
}

}  // namespace twofold::math

#endif  // TWOFOLD_SRC_NUMERIC_MATH_H_
