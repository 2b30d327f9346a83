#include "loops/binary_loops.h"

#include <cmath>

#include "numeric/math.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "loops/binary_loops.cc"
#include "hwy/foreach_target.h"
// After foreach_target.h.
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace twofold {
namespace HWY_NAMESPACE {

struct Operands {
  const float* a;
  int64_t a_step;
  const float* b;
  int64_t b_step;
  float* out;
  int64_t n;
};

// Each element depends on its own only, also where `out` is an operand.
template <typename Function>
HWY_INLINE void loop(const Operands& o, const Function& function) {
  const float *a = o.a, *b = o.b;
  float* out = o.out;
  const int64_t n = o.n;
  if (o.b_step == 0) {
    const float value = n > 0 ? *b : 0.0F;
    const int64_t step = o.a_step;
    if (step == 1) {
      TWOFOLD_INDEPENDENT
      for (int64_t i = 0; i < n; ++i) out[i] = function(a[i], value);
    } else {
      for (int64_t i = 0; i < n; ++i) out[i] = function(*a, value);
    }
  } else if (o.a_step == 0) {
    const float value = n > 0 ? *a : 0.0F;
    TWOFOLD_INDEPENDENT
    for (int64_t i = 0; i < n; ++i) out[i] = function(value, b[i]);
  } else {
    TWOFOLD_INDEPENDENT
    for (int64_t i = 0; i < n; ++i) out[i] = function(a[i], b[i]);
  }
}

TWOFOLD_INLINE float floor_mod(float x, float y) {
  const float rest = std::fmod(x, y);
  return rest == 0 ? std::copysign(rest, y) : (rest < 0) != (y < 0) ? rest + y : rest;
}

void apply(BinaryOp op, const float* a, int64_t a_step, const float* b, int64_t b_step, float* out, int64_t n) {
  const Operands operands{a, a_step, b, b_step, out, n};
#define TWOFOLD_CASE(name, expression) \
  case BinaryOp::name: return loop(operands, [](float x, float y) HWY_ATTR { return expression; });
  switch (op) {
    TWOFOLD_CASE(kAdd, x + y)
    TWOFOLD_CASE(kSub, x - y)
    TWOFOLD_CASE(kMul, x * y)
    TWOFOLD_CASE(kDiv, x / y)
    TWOFOLD_CASE(kMax, ((x > y) | (x != x)) ? x : y)
    TWOFOLD_CASE(kMin, ((x < y) | (x != x)) ? x : y)
    TWOFOLD_CASE(kPow, math::pow(x, y))
    TWOFOLD_CASE(kPRelu, x < 0 ? x * y : x)
    TWOFOLD_CASE(kFmod, std::fmod(x, y))
    TWOFOLD_CASE(kMod, floor_mod(x, y))
  }
#undef TWOFOLD_CASE
}

}  // namespace HWY_NAMESPACE
}  // namespace twofold
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace twofold {
HWY_EXPORT(apply);
void apply_binary(BinaryOp op, const float* a, int64_t a_step, const float* b, int64_t b_step, float* out, int64_t n) {
  HWY_DYNAMIC_DISPATCH(apply)(op, a, a_step, b, b_step, out, n);
}
}  // namespace twofold
#endif
