#include "loops/unary_loops.h"

#include <cmath>
#include <limits>

#include "numeric/math.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "loops/unary_loops.cc"
#include "hwy/foreach_target.h"
// After foreach_target.h.
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace twofold {
namespace HWY_NAMESPACE {

template <typename Function>
HWY_INLINE void loop(const float* in, float* out, int64_t n, const Function& function) {
  // Each element depends on its own only, also where in == out.
  TWOFOLD_INDEPENDENT
  for (int64_t i = 0; i < n; ++i) out[i] = function(in[i]);
}

TWOFOLD_INLINE float floor(float x) {
  const float rounded = round_half_even(x);
  return std::copysign(rounded > x ? rounded - 1.0F : rounded, x);
}

TWOFOLD_INLINE float clip(float x, float low, float high) {
  x = x < low ? low : x;
  return x > high ? high : x;
}

TWOFOLD_INLINE float sign(float x) {
  const float positive = x > 0 ? 1.0F : x;
  return x < 0 ? -1.0F : positive;
}

TWOFOLD_INLINE float shrink(float x, float lambda, float bias) {
  const float up = x < -lambda ? x + bias : 0.0F;
  return x > lambda ? x - bias : up;
}

void apply(UnaryOp op, const UnaryParams& params, const float* in, float* out, int64_t n) {
  const float alpha = params.alpha, beta = params.beta, gamma = params.gamma;
#define TWOFOLD_CASE(name, expression) \
  case UnaryOp::name: return loop(in, out, n, [=](float x) HWY_ATTR { return expression; });
  switch (op) {
    TWOFOLD_CASE(kAbs, std::fabs(x))
    TWOFOLD_CASE(kNeg, -x)
    TWOFOLD_CASE(kRelu, x < 0 ? 0.0F : x)
    TWOFOLD_CASE(kSigmoid, math::sigmoid(x))
    TWOFOLD_CASE(kTanh, math::tanh(x))
    TWOFOLD_CASE(kExp, math::exp(x))
    TWOFOLD_CASE(kLog, math::log(x))
    TWOFOLD_CASE(kSqrt, math::sqrt(x))
    TWOFOLD_CASE(kReciprocal, 1.0F / x)
    TWOFOLD_CASE(kErf, math::erf(x))
    TWOFOLD_CASE(kFloor, floor(x))
    TWOFOLD_CASE(kCeil, -floor(-x))
    TWOFOLD_CASE(kRound, std::copysign(round_half_even(x), x))
    TWOFOLD_CASE(kSign, sign(x))
    TWOFOLD_CASE(kSin, math::sin(x))
    TWOFOLD_CASE(kCos, math::cos(x))
    TWOFOLD_CASE(kTan, math::tan(x))
    TWOFOLD_CASE(kAsin, math::asin(x))
    TWOFOLD_CASE(kAcos, math::acos(x))
    TWOFOLD_CASE(kAtan, math::atan(x))
    TWOFOLD_CASE(kSinh, math::sinh(x))
    TWOFOLD_CASE(kCosh, math::cosh(x))
    TWOFOLD_CASE(kAsinh, math::asinh(x))
    TWOFOLD_CASE(kAcosh, math::acosh(x))
    TWOFOLD_CASE(kAtanh, math::atanh(x))
    TWOFOLD_CASE(kHardSigmoid, clip(alpha * x + beta, 0.0F, 1.0F))
    TWOFOLD_CASE(kHardSwish, x * clip(x * (1.0F / 6.0F) + 0.5F, 0.0F, 1.0F))
    TWOFOLD_CASE(kLeakyRelu, x < 0 ? alpha * x : x)
    TWOFOLD_CASE(kElu, x < 0 ? alpha * math::expm1(gamma * x) : beta * x)
    TWOFOLD_CASE(kThresholdedRelu, x <= alpha ? 0.0F : x)
    TWOFOLD_CASE(kSoftplus, math::softplus(x))
    TWOFOLD_CASE(kSoftsign, x / (1.0F + std::fabs(x)))
    TWOFOLD_CASE(kMish, math::mish(x))
    TWOFOLD_CASE(kGelu, math::gelu(x))
    TWOFOLD_CASE(kGeluTanh, math::gelu_tanh(x))
    TWOFOLD_CASE(kSwish, math::swish(x, alpha))
    TWOFOLD_CASE(kClip, clip(x, alpha, beta))
    TWOFOLD_CASE(kShrink, shrink(x, alpha, beta))
    TWOFOLD_CASE(kSquare, x * x)
    TWOFOLD_CASE(kPow, math::pow(x, alpha))
  }
#undef TWOFOLD_CASE
}

}  // namespace HWY_NAMESPACE
}  // namespace twofold
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace twofold {
HWY_EXPORT(apply);
void apply_unary(UnaryOp op, const UnaryParams& params, const float* in, float* out, int64_t n) {
  HWY_DYNAMIC_DISPATCH(apply)(op, params, in, out, n);
}
}  // namespace twofold
#endif
