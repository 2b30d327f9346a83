#include "numeric/fake_quantize.h"

#include <algorithm>
#include <vector>

#include "base/check.h"
#include "numeric/channel_ranges.h"
#include "numeric/qparams.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "numeric/fake_quantize.cc"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"
#include "numeric/channel_runs.h"

HWY_BEFORE_NAMESPACE();
namespace twofold {
namespace HWY_NAMESPACE {
namespace {

void fake(const float* x, const ChannelScales& view, size_t begin, size_t end, float low, float high, float* y) {
  for_each_run(view, begin, end, [=](size_t first, size_t n, const auto& scales) TWOFOLD_LAMBDA {
    with_steps(scales, low, high, [=](const auto& steps) TWOFOLD_LAMBDA {
      TWOFOLD_INDEPENDENT
      for (size_t i = 0; i < n; ++i) y[first + i] = nearest(steps.of(i, x[first + i])) * scales.scale(i);
    });
  });
}

void fake_ec(const float* x, const ChannelScales& view, size_t begin, size_t end, float* y) {
  for_each_ec(x, view, begin, end, -128, 127, [=](size_t i, float first, float second, float scale) TWOFOLD_LAMBDA {
    y[i] = (kEcBase * first + second) * scale;
  });
}

// Of a number that was clamped one beyond what the type holds before it was rounded. (An infinity has no second digit
// of ec where the first one's part of it is infinite too.)
HWY_INLINE bool is_inside(float value, float rounded, float low, float high) {
  return (clamped(rounded, low, high) == rounded) & (value - value == 0);
}

void backward(const float* gy, const float* x, const ChannelScales& view, size_t begin, size_t end, float low,
              float high, float* gx) {
  for_each_run(view, begin, end, [=](size_t first, size_t n, const auto& scales) TWOFOLD_LAMBDA {
    with_steps(scales, low - 1, high + 1, [=](const auto& steps) TWOFOLD_LAMBDA {
      TWOFOLD_INDEPENDENT
      for (size_t i = 0; i < n; ++i) {
        const float value = x[first + i], gradient = gy[first + i], rounded = nearest(steps.of(i, value));
        const auto zero = static_cast<float>(scales.zero(i));
        gx[first + i] = is_inside(value, rounded, low - zero, high - zero) ? gradient : 0.0F;
      }
    });
  });
}

void ec_backward(const float* gy, const float* x, const ChannelScales& view, size_t begin, size_t end, float* gx) {
  for_each_ec(x, view, begin, end, -129, 128, [=](size_t i, float, float second, float) TWOFOLD_LAMBDA {
    const float gradient = gy[i];
    gx[i] = is_inside(x[i], second, -128, 127) ? gradient : 0.0F;
  });
}

// Sets the gradient of x and gives the term of the scale's. NaN is 0 steps, and so has a term of 0.
HWY_INLINE float learned(float gy, float x, float scale, float low, float high, float& gx) {
  const float steps = StepsByDivision{scale, low - 1, high + 1}.of(x), rounded = nearest(steps);
  const bool inside = is_inside(x, rounded, low, high);
  const float q = clamped(rounded, low, high);
  gx = inside ? gy : 0.0F;
  return gy * (inside ? q - steps : q);
}

namespace hn = hwy::HWY_NAMESPACE;

// Number i goes to sum i % kLanes, whatever the width of the machine's vectors. n: a multiple of kLanes.
constexpr size_t kLanes = 16;
double sum_of(const float* numbers, size_t n) {
  const hn::CappedTag<double, kLanes> d;
  const hn::Rebind<float, decltype(d)> df;
  double lanes[kLanes];
  for (size_t j = 0; j < kLanes; j += hn::Lanes(d)) {
    auto sum = hn::Zero(d);
    for (size_t i = j; i < n; i += kLanes) sum = hn::Add(sum, hn::PromoteTo(d, hn::LoadU(df, numbers + i)));
    hn::StoreU(sum, d, lanes + j);
  }
  for (size_t width = kLanes / 2; width > 0; width /= 2) {
    for (size_t j = 0; j < width; ++j) lanes[j] += lanes[j + width];
  }
  return lanes[0];
}

// Elements of one channel; low and high are less the zero point. Gives the sum of the terms, for which there is room up
// to a multiple of kLanes.
double learned_piece(const float* gy, const float* x, size_t n, float scale, float low, float high, float* gx,
                     float* HWY_RESTRICT terms) {
  TWOFOLD_INDEPENDENT
  for (size_t i = 0; i < n; ++i) terms[i] = learned(gy[i], x[i], scale, low, high, gx[i]);
  const size_t whole = (n + kLanes - 1) / kLanes * kLanes;
  for (size_t i = n; i < whole; ++i) terms[i] = 0;
  return sum_of(terms, whole);
}

template <typename Scales>
HWY_INLINE void learned_columns(const float* gy, const float* x, size_t n, const Scales& scales, float low, float high,
                                float* gx, double* sums) {
  TWOFOLD_INDEPENDENT
  for (size_t i = 0; i < n; ++i) {
    const auto zero = static_cast<float>(scales.zero(i));
    sums[i] += learned(gy[i], x[i], scales.scale(i), low - zero, high - zero, gx[i]);
  }
}

// One element of each of n channels; adds the terms to their sums. zeros: may be null.
void learned_row(const float* gy, const float* x, size_t n, const float* scale, const int32_t* zeros, float low,
                 float high, float* gx, double* sums) {
  if (zeros == nullptr) {
    learned_columns(gy, x, n, ScalePerElement<false>{scale, zeros}, low, high, gx, sums);
  } else {
    learned_columns(gy, x, n, ScalePerElement<true>{scale, zeros}, low, high, gx, sums);
  }
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace twofold
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace twofold {

namespace {

HWY_EXPORT(fake);
HWY_EXPORT(fake_ec);
HWY_EXPORT(backward);
HWY_EXPORT(ec_backward);
HWY_EXPORT(learned_piece);
HWY_EXPORT(learned_row);

// Gradients of scales are added up in this order: elements of a piece in lanes, pieces one after the other; where runs
// of a channel are short, rows of a block of columns, blocks one after the other.
constexpr int64_t kPiece = 4096;
constexpr int64_t kRowsPerBlock = 64, kColumnsPerBlock = 1024;

int64_t divide_up(int64_t n, int64_t by) { return (n + by - 1) / by; }

void check_sizes(const ChannelScales& scales, std::span<const float> x, std::span<const float> y) {
  TWOFOLD_CHECK(std::ssize(x) == scales.size() && x.size() == y.size());
}

// What sums of learned scales are made of.
struct Learned {
  const float *gy, *x;
  float low, high;
  const ChannelScales& scales;
  float* gx;
};

// Channels that lie in long runs are summed in pieces of these.
void sum_pieces(const Learned& l, std::span<double> sums) {
  const int64_t runs = l.scales.channels == 1 ? 1 : l.scales.outer * l.scales.channels;
  const int64_t length = l.scales.size() / runs, pieces = divide_up(length, kPiece);
  std::vector<double> partial(static_cast<size_t>(runs * pieces));
  parallel_for(runs * pieces, grain_of(l.scales.size(), runs * pieces), [&](int64_t begin, int64_t end) {
    float terms[kPiece];
    for (int64_t k = begin; k < end; ++k) {
      const int64_t within = k % pieces * kPiece, first = k / pieces * length + within;
      const auto c = static_cast<size_t>(k / pieces % l.scales.channels);
      const auto n = static_cast<size_t>(std::min<int64_t>(kPiece, length - within));
      const float zero = l.scales.zero_point.empty() ? 0.0F : static_cast<float>(l.scales.zero_point[c]);
      partial[static_cast<size_t>(k)] = HWY_DYNAMIC_DISPATCH(learned_piece)(
          l.gy + first, l.x + first, n, l.scales.scale[c], l.low - zero, l.high - zero, l.gx + first, terms);
    }
  });
  for (int64_t k = 0; k < runs * pieces; ++k) {
    sums[static_cast<size_t>(k / pieces % l.scales.channels)] += partial[static_cast<size_t>(k)];
  }
}

// Those that lie in short runs, in blocks of rows: every column of a block has a sum.
void sum_columns(const Learned& l, std::span<double> sums) {
  const int64_t columns = l.scales.channels * l.scales.inner;
  const int64_t groups = divide_up(l.scales.outer, kRowsPerBlock), tiles = divide_up(columns, kColumnsPerBlock);
  const std::vector<float> scale = repeated(l.scales.scale, l.scales.inner);
  const std::vector<int32_t> zeros = repeated(l.scales.zero_point, l.scales.inner);
  std::vector<double> partial(static_cast<size_t>(groups * columns));
  parallel_for(groups * tiles, grain_of(l.scales.size(), groups * tiles), [&](int64_t begin, int64_t end) {
    for (int64_t block = begin; block < end; ++block) {
      const int64_t group = block / tiles, column = block % tiles * kColumnsPerBlock;
      const auto n = static_cast<size_t>(std::min(kColumnsPerBlock, columns - column));
      const int64_t last = std::min((group + 1) * kRowsPerBlock, l.scales.outer);
      for (int64_t row = group * kRowsPerBlock; row < last; ++row) {
        const int64_t first = row * columns + column;
        HWY_DYNAMIC_DISPATCH(learned_row)
        (l.gy + first, l.x + first, n, scale.data() + column, zeros.empty() ? nullptr : zeros.data() + column, l.low,
         l.high, l.gx + first, partial.data() + group * columns + column);
      }
    }
  });
  for (int64_t i = 0; i < groups * columns; ++i) {
    sums[static_cast<size_t>(i % columns / l.scales.inner)] += partial[static_cast<size_t>(i)];
  }
}

}  // namespace

void fake_quantize(std::span<const float> x, IntegerRange range, const ChannelScales& scales, std::span<float> y) {
  check_sizes(scales, x, y);
  const auto low = static_cast<float>(range.low), high = static_cast<float>(range.high);
  for_each_range(scales, [&](const ChannelScales& view, size_t begin, size_t end) {
    HWY_DYNAMIC_DISPATCH(fake)(x.data(), view, begin, end, low, high, y.data());
  });
}

void fake_quantize_ec(std::span<const float> x, const ChannelScales& scales, std::span<float> y) {
  check_sizes(scales, x, y);
  TWOFOLD_CHECK(scales.zero_point.empty());
  for_each_range(scales, [&](const ChannelScales& view, size_t begin, size_t end) {
    HWY_DYNAMIC_DISPATCH(fake_ec)(x.data(), view, begin, end, y.data());
  });
}

void fake_quantize(std::span<const float> x, QType qtype, const ChannelScales& scales, std::span<float> y) {
  if (qtype == QType::kEc) return fake_quantize_ec(x, scales, y);
  fake_quantize(x, IntegerRange{qmin(qtype), qmax(qtype)}, scales, y);
}

void fake_quantize_backward(std::span<const float> y_gradient, std::span<const float> x, IntegerRange range,
                            const ChannelScales& scales, std::span<float> x_gradient) {
  check_sizes(scales, y_gradient, x);
  check_sizes(scales, x, x_gradient);
  const auto low = static_cast<float>(range.low), high = static_cast<float>(range.high);
  for_each_range(scales, [&](const ChannelScales& view, size_t begin, size_t end) {
    HWY_DYNAMIC_DISPATCH(backward)
    (y_gradient.data(), x.data(), view, begin, end, low, high, x_gradient.data());
  });
}

void fake_quantize_ec_backward(std::span<const float> y_gradient, std::span<const float> x, const ChannelScales& scales,
                               std::span<float> x_gradient) {
  check_sizes(scales, y_gradient, x);
  check_sizes(scales, x, x_gradient);
  TWOFOLD_CHECK(scales.zero_point.empty());
  for_each_range(scales, [&](const ChannelScales& view, size_t begin, size_t end) {
    HWY_DYNAMIC_DISPATCH(ec_backward)(y_gradient.data(), x.data(), view, begin, end, x_gradient.data());
  });
}

void fake_quantize_learned_backward(std::span<const float> y_gradient, std::span<const float> x, IntegerRange range,
                                    const ChannelScales& scales, std::span<float> x_gradient,
                                    std::span<double> scale_gradient) {
  check_sizes(scales, y_gradient, x);
  check_sizes(scales, x, x_gradient);
  TWOFOLD_CHECK(std::ssize(scale_gradient) == scales.channels);
  std::fill(scale_gradient.begin(), scale_gradient.end(), 0.0);
  if (x.empty()) return;
  const Learned learned{
      y_gradient.data(), x.data(), static_cast<float>(range.low), static_cast<float>(range.high), scales,
      x_gradient.data()};
  in_short_runs(scales) ? sum_columns(learned, scale_gradient) : sum_pieces(learned, scale_gradient);
}

}  // namespace twofold
#endif  // HWY_ONCE
