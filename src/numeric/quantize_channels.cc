#include "numeric/quantize_channels.h"

#include <algorithm>
#include <limits>
#include <vector>

#include "base/cancellation.h"
#include "base/check.h"
#include "base/parallel_for.h"
#include "numeric/ec.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "numeric/quantize_channels.cc"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"
#include "numeric/math_core.h"
#include "numeric/quantize_steps.h"

// Lambdas inherit neither the instruction set of the function they stand in nor its being inlined.
#define TWOFOLD_LAMBDA HWY_ATTR __attribute__((always_inline))

HWY_BEFORE_NAMESPACE();
namespace twofold {
namespace HWY_NAMESPACE {
namespace {

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

template <typename T>
HWY_INLINE void quantize_range(const float* x, const ChannelScales& view, size_t begin, size_t end, T* q) {
  constexpr auto kLow = static_cast<float>(std::numeric_limits<T>::min());
  constexpr auto kHigh = static_cast<float>(std::numeric_limits<T>::max());
  for_each_run(view, begin, end, [=](size_t first, size_t n, const auto& scales) TWOFOLD_LAMBDA {
    with_steps(scales, kLow, kHigh, [=](const auto& steps) TWOFOLD_LAMBDA {
      const float* HWY_RESTRICT in = x + first;
      T* HWY_RESTRICT out = q + first;
      TWOFOLD_INDEPENDENT
      for (size_t i = 0; i < n; ++i) {
        out[i] = static_cast<T>(static_cast<int32_t>(nearest(steps.of(i, in[i]))) + scales.zero(i));
      }
    });
  });
}

// Differences of 8- and 16-bit types are exact; those of int32 wrap, as ONNX leaves open, and biases have no zero
// point.
template <typename T>
HWY_INLINE void dequantize_range(const T* q, const ChannelScales& view, size_t begin, size_t end, float* x) {
  for_each_run(view, begin, end, [=](size_t first, size_t n, const auto& scales) TWOFOLD_LAMBDA {
    const T* HWY_RESTRICT in = q + first;
    float* HWY_RESTRICT out = x + first;
    TWOFOLD_INDEPENDENT
    for (size_t i = 0; i < n; ++i) {
      const auto difference = static_cast<uint32_t>(in[i]) - static_cast<uint32_t>(scales.zero(i));
      out[i] = static_cast<float>(static_cast<int32_t>(difference)) * scales.scale(i);
    }
  });
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

void ec_digits(const float* x, const ChannelScales& view, size_t begin, size_t end, int8_t* q1, int8_t* q2) {
  for_each_ec(x, view, begin, end, -128, 127, [=](size_t i, float first, float second, float) TWOFOLD_LAMBDA {
    q1[i] = static_cast<int8_t>(static_cast<int32_t>(first));
    q2[i] = static_cast<int8_t>(static_cast<int32_t>(second));
  });
}

void ec_joined(const float* x, const ChannelScales& view, size_t begin, size_t end, int16_t* v) {
  for_each_ec(x, view, begin, end, -128, 127, [=](size_t i, float first, float second, float) TWOFOLD_LAMBDA {
    v[i] = static_cast<int16_t>(static_cast<int32_t>(kEcBase * first + second));
  });
}

// Steps are clamped one beyond what the type holds, so that the rounded ones tell what is clipped.
template <bool kMask>
HWY_INLINE void fake_range(const float* x, const ChannelScales& view, size_t begin, size_t end, float low, float high,
                           float* y, uint8_t* inside) {
  for_each_run(view, begin, end, [=](size_t first, size_t n, const auto& scales) TWOFOLD_LAMBDA {
    with_steps(scales, low - 1, high + 1, [=](const auto& steps) TWOFOLD_LAMBDA {
      TWOFOLD_INDEPENDENT
      for (size_t i = 0; i < n; ++i) {
        const float value = x[first + i], rounded = nearest(steps.of(i, value));
        const auto zero = static_cast<float>(scales.zero(i));
        const float q = clamped(rounded, low - zero, high - zero);
        y[first + i] = q * scales.scale(i);
        if (kMask) inside[first + i] = static_cast<uint8_t>((q == rounded) & (value == value));
      }
    });
  });
}

template <bool kMask>
HWY_INLINE void fake_ec_range(const float* x, const ChannelScales& view, size_t begin, size_t end, float* y,
                              uint8_t* inside) {
  for_each_ec(x, view, begin, end, -129, 128, [=](size_t i, float first, float second, float scale) TWOFOLD_LAMBDA {
    const float value = x[i], digit = clamped(second, -128, 127);
    y[i] = (kEcBase * first + digit) * scale;
    if (kMask) inside[i] = static_cast<uint8_t>((digit == second) & (value == value));
  });
}

void fake(const float* x, const ChannelScales& view, size_t begin, size_t end, float low, float high, float* y,
          uint8_t* inside) {
  if (inside != nullptr) return fake_range<true>(x, view, begin, end, low, high, y, inside);
  fake_range<false>(x, view, begin, end, low, high, y, nullptr);
}

void fake_ec(const float* x, const ChannelScales& view, size_t begin, size_t end, float* y, uint8_t* inside) {
  if (inside != nullptr) return fake_ec_range<true>(x, view, begin, end, y, inside);
  fake_ec_range<false>(x, view, begin, end, y, nullptr);
}

#define TWOFOLD_QUANTIZE(name, type)                                                                   \
  void quantize_##name(const float* x, const ChannelScales& view, size_t begin, size_t end, type* q) { \
    quantize_range(x, view, begin, end, q);                                                            \
  }
#define TWOFOLD_DEQUANTIZE(name, type)                                                                   \
  void dequantize_##name(const type* q, const ChannelScales& view, size_t begin, size_t end, float* x) { \
    dequantize_range(q, view, begin, end, x);                                                            \
  }
TWOFOLD_QUANTIZE(s8, int8_t)
TWOFOLD_QUANTIZE(u8, uint8_t)
TWOFOLD_QUANTIZE(s16, int16_t)
TWOFOLD_QUANTIZE(u16, uint16_t)
TWOFOLD_DEQUANTIZE(s8, int8_t)
TWOFOLD_DEQUANTIZE(u8, uint8_t)
TWOFOLD_DEQUANTIZE(s16, int16_t)
TWOFOLD_DEQUANTIZE(u16, uint16_t)
TWOFOLD_DEQUANTIZE(s32, int32_t)

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace twofold
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace twofold {

namespace {

// Smaller arrays are not worth another thread.
constexpr int64_t kElementsPerThread = 1 << 15;

// Milliseconds of work, after which it is asked whether the job is still wanted.
constexpr int64_t kElementsPerQuestion = 1 << 22;

// Shorter runs of one channel are not worth a vector loop each.
constexpr int64_t kLongRun = 64;

// Each number `times` times.
template <typename T>
std::vector<T> repeated(std::span<const T> numbers, int64_t times) {
  std::vector<T> result;
  result.reserve(numbers.size() * static_cast<size_t>(times));
  for (const T number : numbers) result.insert(result.end(), static_cast<size_t>(times), number);
  return result;
}

// Calls body(scales, begin, end) on ranges of elements. Channels of short runs become channels of single elements.
template <typename Body>
void for_each_range(const ChannelScales& scales, const Body& body) {
  if (scales.channels > 1 && scales.inner > 1 && scales.inner < kLongRun) {
    const std::vector<float> scale = repeated(scales.scale, scales.inner);
    const std::vector<int32_t> zero_point = repeated(scales.zero_point, scales.inner);
    return for_each_range(ChannelScales({scales.outer, std::ssize(scale)}, 1, scale, zero_point), body);
  }
  parallel_for(scales.size(), kElementsPerThread, [&](int64_t begin, int64_t end) {
    for (int64_t at = begin; at < end; at += kElementsPerQuestion) {
      if (at > begin) throw_if_cancelled();
      body(scales, static_cast<size_t>(at), static_cast<size_t>(std::min(at + kElementsPerQuestion, end)));
    }
  });
}

HWY_EXPORT(ec_digits);
HWY_EXPORT(ec_joined);
HWY_EXPORT(fake);
HWY_EXPORT(fake_ec);

}  // namespace

// One function for each type, since dispatch takes no templates.
#define TWOFOLD_QUANTIZE_AS(name, type)                                                           \
  namespace {                                                                                     \
  HWY_EXPORT(quantize_##name);                                                                    \
  }                                                                                               \
  template <>                                                                                     \
  void quantize<type>(std::span<const float> x, const ChannelScales& scales, std::span<type> q) { \
    TWOFOLD_CHECK(std::ssize(x) == scales.size() && x.size() == q.size());                        \
    for_each_range(scales, [&](const ChannelScales& view, size_t begin, size_t end) {             \
      HWY_DYNAMIC_DISPATCH(quantize_##name)(x.data(), view, begin, end, q.data());                \
    });                                                                                           \
  }
#define TWOFOLD_DEQUANTIZE_AS(name, type)                                                           \
  namespace {                                                                                       \
  HWY_EXPORT(dequantize_##name);                                                                    \
  }                                                                                                 \
  template <>                                                                                       \
  void dequantize<type>(std::span<const type> q, const ChannelScales& scales, std::span<float> x) { \
    TWOFOLD_CHECK(std::ssize(q) == scales.size() && x.size() == q.size());                          \
    for_each_range(scales, [&](const ChannelScales& view, size_t begin, size_t end) {               \
      HWY_DYNAMIC_DISPATCH(dequantize_##name)(q.data(), view, begin, end, x.data());                \
    });                                                                                             \
  }

TWOFOLD_QUANTIZE_AS(s8, int8_t)
TWOFOLD_QUANTIZE_AS(u8, uint8_t)
TWOFOLD_QUANTIZE_AS(s16, int16_t)
TWOFOLD_QUANTIZE_AS(u16, uint16_t)
TWOFOLD_DEQUANTIZE_AS(s8, int8_t)
TWOFOLD_DEQUANTIZE_AS(u8, uint8_t)
TWOFOLD_DEQUANTIZE_AS(s16, int16_t)
TWOFOLD_DEQUANTIZE_AS(u16, uint16_t)
TWOFOLD_DEQUANTIZE_AS(s32, int32_t)

void ec_quantize(std::span<const float> x, const ChannelScales& scales, std::span<int8_t> q1, std::span<int8_t> q2) {
  TWOFOLD_CHECK(std::ssize(x) == scales.size() && x.size() == q1.size() && x.size() == q2.size());
  TWOFOLD_CHECK(scales.zero_point.empty());
  for_each_range(scales, [&](const ChannelScales& view, size_t begin, size_t end) {
    HWY_DYNAMIC_DISPATCH(ec_digits)(x.data(), view, begin, end, q1.data(), q2.data());
  });
}

void ec_quantize(std::span<const float> x, const ChannelScales& scales, std::span<int16_t> v) {
  TWOFOLD_CHECK(std::ssize(x) == scales.size() && x.size() == v.size() && scales.zero_point.empty());
  for_each_range(scales, [&](const ChannelScales& view, size_t begin, size_t end) {
    HWY_DYNAMIC_DISPATCH(ec_joined)(x.data(), view, begin, end, v.data());
  });
}

void fake_quantize(std::span<const float> x, QType qtype, const ChannelScales& scales, std::span<float> y,
                   std::span<uint8_t> inside) {
  TWOFOLD_CHECK(std::ssize(x) == scales.size() && x.size() == y.size());
  TWOFOLD_CHECK(inside.empty() || inside.size() == x.size());
  uint8_t* mask = inside.empty() ? nullptr : inside.data();
  if (qtype == QType::kEc) {
    TWOFOLD_CHECK(scales.zero_point.empty());
    for_each_range(scales, [&](const ChannelScales& view, size_t begin, size_t end) {
      HWY_DYNAMIC_DISPATCH(fake_ec)(x.data(), view, begin, end, y.data(), mask);
    });
    return;
  }
  const auto low = static_cast<float>(qmin(qtype)), high = static_cast<float>(qmax(qtype));
  for_each_range(scales, [&](const ChannelScales& view, size_t begin, size_t end) {
    HWY_DYNAMIC_DISPATCH(fake)(x.data(), view, begin, end, low, high, y.data(), mask);
  });
}

}  // namespace twofold
#endif  // HWY_ONCE
