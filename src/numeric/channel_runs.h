// Loops over arrays with one scale or one per channel, run by run: what those to integers and back are built from, once
// for each instruction set. To be included after hwy/highway.h, by files that Highway compiles several times.
#if defined(TWOFOLD_SRC_NUMERIC_CHANNEL_RUNS_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef TWOFOLD_SRC_NUMERIC_CHANNEL_RUNS_H_
#undef TWOFOLD_SRC_NUMERIC_CHANNEL_RUNS_H_
#else
#define TWOFOLD_SRC_NUMERIC_CHANNEL_RUNS_H_
#endif

#include <cstddef>
#include <cstdint>

#include "hwy/highway.h"
#include "numeric/channel_scales.h"
#include "numeric/ec.h"
#include "numeric/math_core.h"
#include "numeric/quantize_steps.h"

// Lambdas inherit neither the instruction set of the function they stand in nor its being inlined.
#define TWOFOLD_LAMBDA HWY_ATTR __attribute__((always_inline))

HWY_BEFORE_NAMESPACE();
namespace twofold {
namespace HWY_NAMESPACE {

// The scale and zero point of each element of a run: one for all, or the next for each, with zero points or without.
struct OneScale {
  float step;
  int32_t zero_point;

  HWY_INLINE float scale(size_t) const { return step; }
  HWY_INLINE int32_t zero(size_t) const { return zero_point; }
};
template <bool kHasZeros>
struct ScalePerElement {
  const float* steps;
  const int32_t* zero_points;

  HWY_INLINE float scale(size_t i) const { return steps[i]; }
  HWY_INLINE int32_t zero(size_t i) const { return kHasZeros ? zero_points[i] : 0; }
};

// Those of the second digit of ec.
HWY_INLINE OneScale residual(const OneScale& first) { return {ec_residual_scale(first.step), 0}; }
struct ResidualPerElement {
  const float* first;

  HWY_INLINE float scale(size_t i) const { return ec_residual_scale(first[i]); }
  HWY_INLINE int32_t zero(size_t) const { return 0; }
};
template <bool kHasZeros>
HWY_INLINE ResidualPerElement residual(const ScalePerElement<kHasZeros>& first) {
  return {first.steps};
}

// Element i in steps, before rounding.
template <typename Steps>
struct SameSteps {
  Steps steps;

  HWY_INLINE float of(size_t, float x) const { return steps.of(x); }
};
template <typename Scales>
struct StepsPerElement {
  Scales scales;
  float low, high;

  HWY_INLINE float of(size_t i, float x) const {
    const auto zero = static_cast<float>(scales.zero(i));
    return StepsByDivision{scales.scale(i), low - zero, high - zero}.of(x);
  }
};

// Calls loop(steps); these are clamped to the integers from low to high, less the zero point.
template <typename Loop>
HWY_INLINE void with_steps(const OneScale& scales, float low, float high, const Loop& loop) {
  const auto zero = static_cast<float>(scales.zero_point);
  if (has_reciprocal(scales.step)) {
    loop(SameSteps<StepsByReciprocal>{StepsByReciprocal(scales.step, low - zero, high - zero)});
  } else {
    loop(SameSteps<StepsByDivision>{{scales.step, low - zero, high - zero}});
  }
}
template <typename Scales, typename Loop>
HWY_INLINE void with_steps(const Scales& scales, float low, float high, const Loop& loop) {
  loop(StepsPerElement<Scales>{scales, low, high});
}

// Calls run(first element, number of elements, their scales) for runs that make up [begin, end).
template <typename Run>
HWY_INLINE void for_each_run(const ChannelScales& view, size_t begin, size_t end, const Run& run) {
  const auto channels = static_cast<size_t>(view.channels), inner = static_cast<size_t>(view.inner);
  const float* scale = view.scale.data();
  const int32_t* zeros = view.zero_point.empty() ? nullptr : view.zero_point.data();
  if (inner > 1 || channels == 1) {
    // One channel is a single run, however it is split into outer and inner.
    const size_t length = channels == 1 ? end : inner;
    size_t c = channels == 1 ? 0 : begin / inner % channels;
    for (size_t i = begin, n; i < end; i += n, c = c + 1 == channels ? 0 : c + 1) {
      n = HWY_MIN(length - i % length, end - i);
      run(i, n, OneScale{scale[c], zeros == nullptr ? 0 : zeros[c]});
    }
    return;
  }
  size_t c = begin % channels;
  for (size_t i = begin, n; i < end; i += n, c = 0) {
    n = HWY_MIN(channels - c, end - i);
    if (zeros == nullptr) {
      run(i, n, ScalePerElement<false>{scale + c, nullptr});
    } else {
      run(i, n, ScalePerElement<true>{scale + c, zeros + c});
    }
  }
}

// Calls store(element, first digit, second digit, scale of the second); the digits are float32, the second one is
// clamped to [low, high].
template <typename Store>
HWY_INLINE void for_each_ec(const float* x, const ChannelScales& view, size_t begin, size_t end, float low, float high,
                            const Store& store) {
  for_each_run(view, begin, end, [=](size_t start, size_t n, const auto& scales) TWOFOLD_LAMBDA {
    const auto fine = residual(scales);
    with_steps(scales, -128, 127, [=](const auto& first_steps) TWOFOLD_LAMBDA {
      with_steps(fine, low, high, [=](const auto& second_steps) TWOFOLD_LAMBDA {
        const float* in = x + start;
        TWOFOLD_INDEPENDENT
        for (size_t i = 0; i < n; ++i) {
          const float first = nearest(first_steps.of(i, in[i]));
          const float second = nearest(second_steps.of(i, in[i] - first * scales.scale(i)));
          store(start + i, first, second, fine.scale(i));
        }
      });
    });
  });
}

}  // namespace HWY_NAMESPACE
}  // namespace twofold
HWY_AFTER_NAMESPACE();

#endif  // TWOFOLD_SRC_NUMERIC_CHANNEL_RUNS_H_
