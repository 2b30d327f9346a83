// The double-precision kernels under math.h: exponential, logarithm and the reduction of angles. Their relative error
// is below 2^-28, so that a result rounded to float32 is within 0.6 ulp. Nothing here has a branch on data, so that
// loops over these functions vectorize; nothing is contracted or reassociated, so that every instruction set gives the
// same bits. Coefficients are minimax (Remez exchange on the relative error, 60 digits) for the intervals stated.
#ifndef TWOFOLD_SRC_NUMERIC_MATH_CORE_H_
#define TWOFOLD_SRC_NUMERIC_MATH_CORE_H_

#include <array>
#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>

// Small functions that loops for several instruction sets are built from: each loop must have its own copy.
#define TWOFOLD_INLINE inline __attribute__((always_inline))

// Before a loop whose iterations do not depend on each other, whatever the pointers in it may alias.
#ifdef __clang__
#define TWOFOLD_INDEPENDENT _Pragma("clang loop vectorize(assume_safety)")
#else
#define TWOFOLD_INDEPENDENT _Pragma("GCC ivdep")
#endif

namespace twofold::math::core {

inline constexpr double kInf = std::numeric_limits<double>::infinity();
inline constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
// Added to |x| < 2^51 it leaves x rounded half to even in the low bits of the sum.
inline constexpr double kRoundMagic = 6755399441055744.0;  // 1.5 * 2^52

// NaN stays NaN.
TWOFOLD_INLINE double clamp(double x, double low, double high) {
  x = x < low ? low : x;
  return x > high ? high : x;
}

// e^x as 2^n (1 + m): the power, and m = e^r - 1 for the remainder r = x - n ln 2.
struct ExpParts {
  double power, m;
};

// Cody-Waite reduction by ln 2 in two parts (n times the first is exact), then e^r - 1 = r + r^2 P(r) for
// |r| <= ln(2) / 2 with deg P = 5. REQUIRES: |x| <= 700 or NaN.
TWOFOLD_INLINE ExpParts exp_parts(double x) {
  const double shifted = x * 0x1.71547652b82fep+0 + kRoundMagic;
  const double n = shifted - kRoundMagic;
  const double r = (x - n * 0x1.62e42feep-1) - n * 0x1.a39ef35793c76p-33;
  double p = 0x1.a17e0bd261c93p-13;
  p = p * r + 0x1.6d432805d5774p-10;
  p = p * r + 0x1.1110ab6cd23dep-7;
  p = p * r + 0x1.5554e902cc4f5p-5;
  p = p * r + 0x1.5555557430bbep-3;
  p = p * r + 0x1.0000000b92074p-1;
  return {std::bit_cast<double>((std::bit_cast<uint64_t>(shifted) + 1023) << 52), r + r * r * p};
}

// e^x and e^x - 1, the latter with small relative error near 0 too. REQUIRES: |x| <= 700 or NaN.
TWOFOLD_INLINE double exp(double x) {
  const ExpParts parts = exp_parts(x);
  return parts.power + parts.power * parts.m;
}
TWOFOLD_INLINE double expm1(double x) {
  const ExpParts parts = exp_parts(x);
  return parts.power * parts.m + (parts.power - 1.0);
}

// log(w), given w and w - 1 (exact, or more exact than w itself): w = 2^k m with m in [sqrt(1/2), sqrt(2)), and
// log(m) = 2 atanh(s), s = (m - 1) / (m + 1), atanh(s) = s + s^3 P(s^2) with deg P = 4.
// REQUIRES: w a positive normal number; anything else gives a meaningless value.
TWOFOLD_INLINE double log_of(double w, double w_minus_1) {
  constexpr uint64_t kSqrtHalf = 0x3fe6a09e667f3bcd, kOne = 0x3ff0000000000000;
  const uint64_t bits = std::bit_cast<uint64_t>(w);
  const uint64_t biased = (bits - kSqrtHalf + kOne) >> 52;  // k + 1023
  const double m = std::bit_cast<double>(bits - (biased << 52) + kOne);
  const double k = std::bit_cast<double>(biased | 0x4330000000000000) - (4503599627370496.0 + 1023.0);
  const double f = k == 0 ? w_minus_1 : m - 1.0;
  const double s = f / (2.0 + f);
  const double t = s * s;
  double p = 0x1.911c90cc2cf6ep-4;
  p = p * t + 0x1.c62aa0945f106p-4;
  p = p * t + 0x1.24941335860d2p-3;
  p = p * t + 0x1.999996a67df3bp-3;
  p = p * t + 0x1.555555561f31bp-2;
  return k * 0x1.62e42fefa39efp-1 + 2.0 * (s + s * t * p);
}

// log(x) for any float32 x: -inf at 0, NaN below.
TWOFOLD_INLINE double log(double x) {
  double y = log_of(x, x - 1.0);
  y = x < kInf ? y : x;
  y = x > 0 ? y : kNan;
  return x == 0 ? -kInf : y;
}

// log(1 + u) with small relative error near 0 too. REQUIRES: u > -1, or u == -1 (-inf), or NaN.
TWOFOLD_INLINE double log1p(double u) {
  double y = log_of(1.0 + u, u);
  y = u < kInf ? y : u;
  return u == -1.0 ? -kInf : y;
}

// erf(x) = x P(x^2) / Q(x^2) on |x| <= 3.95, beyond which erf rounds to 1; degrees 6 and 5, relative error 2^-28.9
// (least squares reweighted until the error is level).
TWOFOLD_INLINE double erf(double x) {
  x = clamp(x, -3.95, 3.95);
  const double t = x * x;
  double p = -0x1.bd77694ca2672p-27;
  p = p * t + 0x1.3762017783f68p-18;
  p = p * t + 0x1.8c4735da20c44p-12;
  p = p * t + 0x1.f7c27633567bcp-9;
  p = p * t + 0x1.bc9e09861b8c7p-5;
  p = p * t + 0x1.7b3abef722f2ep-3;
  p = p * t + 0x1.20dd750d5ae7ep+0;
  double q = 0x1.06eec24c27bdep-14;
  q = q * t + 0x1.55d8c78207609p-10;
  q = q * t + 0x1.fa0f056d71d80p-7;
  q = q * t + 0x1.d294a7d6e80c0p-4;
  q = q * t + 0x1.fd6006633a8bdp-2;
  q = q * t + 1.0;
  const double y = x * p / q;
  return std::fabs(x) == 3.95 ? std::copysign(1.0, x) : y;
}

// atan(x) = x + x^3 P(x^2) on [0, 1] with deg P = 11, and pi/2 - atan(1/x) above. REQUIRES: x >= 0 or NaN.
TWOFOLD_INLINE double atan(double x) {
  const bool large = x > 1.0;
  const double z = large ? 1.0 / x : x;
  const double t = z * z;
  double p = 0x1.d706804390811p-12;
  p = p * t - 0x1.baaafb63d6d97p-9;
  p = p * t + 0x1.864e1fec9d7f9p-7;
  p = p * t - 0x1.b63572c48a90dp-6;
  p = p * t + 0x1.6b74824b68061p-5;
  p = p * t - 0x1.f125c2eaa5aadp-5;
  p = p * t + 0x1.33d486fa35e34p-4;
  p = p * t - 0x1.72e415d8a5d94p-4;
  p = p * t + 0x1.c6eabaf86cd2bp-4;
  p = p * t - 0x1.2490575283dc4p-3;
  p = p * t + 0x1.999985eac6f88p-3;
  p = p * t - 0x1.5555553271ae1p-2;
  const double y = z + z * t * p;
  return large ? 0x1.921fb54442d18p+0 - y : y;
}

// For each float32 exponent, 2/pi times the weight of the significand's last bit, modulo 4, in three parts of at most
// 28, 28 and 52 bits.
struct TurnParts {
  double high, middle, low;
};

constexpr std::array<TurnParts, 256> make_turn_table() {
  constexpr uint32_t kTwoOverPi[] = {0xa2f9836e, 0x4e441529, 0xfc2757d1, 0xf534ddc0,
                                     0xdb629599, 0x3c439041, 0xfe5163ab, 0xdebbc561};
  std::array<TurnParts, 256> table{};
  for (int exponent = 0; exponent < 255; ++exponent) {
    const int shift = (exponent == 0 ? 1 : exponent) - 150;
    const int start = shift > 2 ? shift - 1 : 1;  // bit i of 2/pi weighs 2^(shift - i); those of 4 and more drop out
    const auto window = [&](int first, int count) {
      double sum = 0, weight = 1;
      for (int i = first; i < first + count; ++i) {
        sum = sum * 2 + ((kTwoOverPi[(i - 1) / 32] >> (31 - (i - 1) % 32)) & 1);
      }
      for (int i = shift - (first + count - 1); i < 0; ++i) weight /= 2;
      return sum * weight;
    };
    table[static_cast<size_t>(exponent)] = {window(start, 28), window(start + 28, 28), window(start + 56, 52)};
  }
  table[255] = {kNan, kNan, kNan};
  return table;
}
inline constexpr std::array<TurnParts, 256> kTurns = make_turn_table();

// |x| = quadrant * pi/2 + angle with |angle| <= pi/4 (a hair more), and the sine and cosine of that angle.
struct Angle {
  uint64_t quadrant;  // modulo 4 in the two low bits
  double sin, cos;
};

// Payne-Hanek reduction, exact for every float32: the significand times a window of the bits of 2/pi that depends on
// the exponent (M. Payne, R. Hanek, Radian reduction for trigonometric functions, SIGNUM 1983).
TWOFOLD_INLINE Angle reduce_angle(float x) {
  const uint32_t bits = std::bit_cast<uint32_t>(x) & 0x7fffffff;
  const uint32_t exponent = bits >> 23;
  const uint32_t hidden = exponent == 0 ? 0u : 0x800000u;
  const auto significand = static_cast<double>(static_cast<int32_t>((bits & 0x7fffff) | hidden));
  const TurnParts& turns = kTurns[exponent];
  const double high = significand * turns.high;
  const double middle = significand * turns.middle;
  const double shifted = (high + middle) + kRoundMagic;
  const double rest = ((high - (shifted - kRoundMagic)) + middle) + significand * turns.low;
  const double r = rest * 0x1.921fb54442d18p+0;
  const double t = r * r;
  double s = 0x1.6cd73394dad80p-19;
  s = s * t - 0x1.a00f98e876c24p-13;
  s = s * t + 0x1.111108907bc48p-7;
  s = s * t - 0x1.5555554cb20a8p-3;
  double c = 0x1.9a00cd615470dp-16;
  c = c * t - 0x1.6c0c868500e74p-10;
  c = c * t + 0x1.55554aabde7bfp-5;
  return {std::bit_cast<uint64_t>(shifted), r + r * t * s, (1.0 - 0.5 * t) + t * t * c};
}

}  // namespace twofold::math::core

#endif  // TWOFOLD_SRC_NUMERIC_MATH_CORE_H_
