#include "loops/pool_kernels.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <span>
#include <vector>

#include "base/parallel_for.h"
#include "twofold/tensor.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "loops/pool_kernels.cc"
#include "hwy/foreach_target.h"  // IWYU pragma: keep
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace twofold {
namespace HWY_NAMESPACE {

// Functions of their own rather than bodies of lambdas, whose captures the compiler takes to overlap.
template <typename T>
HWY_INLINE void take_larger(const T* HWY_RESTRICT in, int64_t n, T* HWY_RESTRICT out) {
  for (int64_t i = 0; i < n; ++i) out[i] = in[i] > out[i] ? in[i] : out[i];
}
HWY_INLINE void add(const float* HWY_RESTRICT in, int64_t n, float* HWY_RESTRICT out) {
  for (int64_t i = 0; i < n; ++i) out[i] += in[i];
}

// Outputs [begin, end) of batch and space together, channels last: each row of channels is combined at once.
template <typename T>
void max_rows(const PoolGeometry& g, const T* HWY_RESTRICT x, T* HWY_RESTRICT y, int64_t begin, int64_t end) {
  const int64_t outputs = g.output_size(), channels = g.channels;
  for (int64_t i = begin; i < end; ++i) {
    const T* HWY_RESTRICT image = x + i / outputs * g.input_size() * channels;
    T* HWY_RESTRICT out = y + i * channels;
    for (int64_t c = 0; c < channels; ++c) out[c] = std::numeric_limits<T>::lowest();
    for_each_tap(g, i % outputs,
                 [&](int64_t position) HWY_ATTR { take_larger(image + position * channels, channels, out); });
  }
}

void max_rows_f32(const PoolGeometry& g, const float* x, float* y, int64_t begin, int64_t end) {
  max_rows(g, x, y, begin, end);
}
void max_rows_f64(const PoolGeometry& g, const double* x, double* y, int64_t begin, int64_t end) {
  max_rows(g, x, y, begin, end);
}
void max_rows_s8(const PoolGeometry& g, const int8_t* x, int8_t* y, int64_t begin, int64_t end) {
  max_rows(g, x, y, begin, end);
}
void max_rows_s16(const PoolGeometry& g, const int16_t* x, int16_t* y, int64_t begin, int64_t end) {
  max_rows(g, x, y, begin, end);
}
void max_rows_u16(const PoolGeometry& g, const uint16_t* x, uint16_t* y, int64_t begin, int64_t end) {
  max_rows(g, x, y, begin, end);
}
void max_rows_u8(const PoolGeometry& g, const uint8_t* x, uint8_t* y, int64_t begin, int64_t end) {
  max_rows(g, x, y, begin, end);
}

void average_rows(const PoolGeometry& g, bool include_padding, const float* HWY_RESTRICT x, float* HWY_RESTRICT y,
                  int64_t begin, int64_t end) {
  const int64_t outputs = g.output_size(), channels = g.channels;
  for (int64_t i = begin; i < end; ++i) {
    const float* HWY_RESTRICT image = x + i / outputs * g.input_size() * channels;
    float* HWY_RESTRICT out = y + i * channels;
    for (int64_t c = 0; c < channels; ++c) out[c] = 0;
    for_each_tap(g, i % outputs, [&](int64_t position) HWY_ATTR { add(image + position * channels, channels, out); });
    const auto count = static_cast<float>(count_taps(g, i % outputs, include_padding));
    for (int64_t c = 0; c < channels; ++c) out[c] /= count;
  }
}

// sums[i] += x[i].
void add_elements(const float* HWY_RESTRICT x, int64_t n, float* HWY_RESTRICT sums) {
  for (int64_t i = 0; i < n; ++i) sums[i] += x[i];
}

// sums[i % kPoolLanes] += x[i].
void add_lanes(const float* HWY_RESTRICT x, int64_t n, float* HWY_RESTRICT sums) {
  float lanes[kPoolLanes];
  for (int64_t i = 0; i < kPoolLanes; ++i) lanes[i] = sums[i];
  int64_t p = 0;
  for (; p + kPoolLanes <= n; p += kPoolLanes) {
    for (int64_t i = 0; i < kPoolLanes; ++i) lanes[i] += x[p + i];
  }
  for (int64_t i = 0; p + i < n; ++i) lanes[i] += x[p + i];
  for (int64_t i = 0; i < kPoolLanes; ++i) sums[i] = lanes[i];
}

}  // namespace HWY_NAMESPACE
}  // namespace twofold
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace twofold {

HWY_EXPORT(max_rows_f32);
HWY_EXPORT(max_rows_f64);
HWY_EXPORT(max_rows_s8);
HWY_EXPORT(max_rows_u8);
HWY_EXPORT(max_rows_s16);
HWY_EXPORT(max_rows_u16);
HWY_EXPORT(average_rows);
HWY_EXPORT(add_elements);
HWY_EXPORT(add_lanes);

namespace {

constexpr int64_t kGrain = 1 << 15;  // values read per thread that are worth starting it

// Cuts the outputs among threads: rows of channels in channels-last layout, whole planes otherwise.
void for_each_range(const PoolGeometry& g, const std::function<void(int64_t, int64_t)>& body) {
  double work = static_cast<double>(g.channels_last ? g.channels : g.output_size());
  for (const WindowAxis& axis : g.axes) work *= static_cast<double>(std::min(axis.kernel, axis.input));
  const int64_t items = g.batch * (g.channels_last ? g.output_size() : g.channels);
  parallel_for(items, static_cast<int64_t>(kGrain / std::max(1.0, work)), body);
}

template <typename T>
void max_planes(const PoolGeometry& g, const T* x, T* y, int64_t begin, int64_t end) {
  for (int64_t plane = begin; plane < end; ++plane) {
    const T* in = x + plane * g.input_size();
    T* out = y + plane * g.output_size();
    for (int64_t o = 0; o < g.output_size(); ++o) {
      T best = std::numeric_limits<T>::lowest();
      for_each_tap(g, o, [&](int64_t position) { best = in[position] > best ? in[position] : best; });
      out[o] = best;
    }
  }
}

template <typename T>
void dispatch_max_rows(const PoolGeometry& g, const T* x, T* y, int64_t begin, int64_t end) {
  if constexpr (std::is_same_v<T, float>) HWY_DYNAMIC_DISPATCH(max_rows_f32)(g, x, y, begin, end);
  if constexpr (std::is_same_v<T, double>) HWY_DYNAMIC_DISPATCH(max_rows_f64)(g, x, y, begin, end);
  if constexpr (std::is_same_v<T, int8_t>) HWY_DYNAMIC_DISPATCH(max_rows_s8)(g, x, y, begin, end);
  if constexpr (std::is_same_v<T, uint8_t>) HWY_DYNAMIC_DISPATCH(max_rows_u8)(g, x, y, begin, end);
  if constexpr (std::is_same_v<T, int16_t>) HWY_DYNAMIC_DISPATCH(max_rows_s16)(g, x, y, begin, end);
  if constexpr (std::is_same_v<T, uint16_t>) HWY_DYNAMIC_DISPATCH(max_rows_u16)(g, x, y, begin, end);
}

}  // namespace

template <typename T>
void max_pool(const PoolGeometry& g, const T* x, T* y) {
  if (g.channels_last) {
    for_each_range(g, [&](int64_t begin, int64_t end) { dispatch_max_rows(g, x, y, begin, end); });
  } else {
    for_each_range(g, [&](int64_t begin, int64_t end) { max_planes(g, x, y, begin, end); });
  }
}

template void max_pool<float>(const PoolGeometry&, const float*, float*);
template void max_pool<double>(const PoolGeometry&, const double*, double*);
template void max_pool<int8_t>(const PoolGeometry&, const int8_t*, int8_t*);
template void max_pool<uint8_t>(const PoolGeometry&, const uint8_t*, uint8_t*);
template void max_pool<int16_t>(const PoolGeometry&, const int16_t*, int16_t*);
template void max_pool<uint16_t>(const PoolGeometry&, const uint16_t*, uint16_t*);

void average_pool(const PoolGeometry& g, bool include_padding, const float* x, float* y) {
  if (g.channels_last) {
    for_each_range(g, [&](int64_t begin, int64_t end) {
      HWY_DYNAMIC_DISPATCH(average_rows)(g, include_padding, x, y, begin, end);
    });
    return;
  }
  for_each_range(g, [&](int64_t begin, int64_t end) {
    for (int64_t plane = begin; plane < end; ++plane) {
      const float* in = x + plane * g.input_size();
      for (int64_t o = 0; o < g.output_size(); ++o) {
        float sum = 0;
        for_each_tap(g, o, [&](int64_t position) { sum += in[position]; });
        y[plane * g.output_size() + o] = sum / static_cast<float>(count_taps(g, o, include_padding));
      }
    }
  });
}

double power(float x, int64_t p) {
  double base = std::fabs(static_cast<double>(x)), result = 1;
  for (; p > 0; p /= 2) {
    if (p % 2 == 1) result *= base;
    base *= base;
  }
  return result;
}

double root(double sum, int64_t p) {
  if (p == 1 || sum == 0 || !std::isfinite(sum)) return sum;
  if (p == 2) return std::sqrt(sum);
  // Newton's method from above, where it falls monotonically.
  int exponent = 0;
  std::frexp(sum, &exponent);
  double r = std::ldexp(1.0, static_cast<int>((exponent + p - 1) / p) + 1);
  const auto n = static_cast<double>(p);
  for (int i = 0; i < 2000; ++i) {
    double tail = 1;
    for (int64_t k = 1; k < p; ++k) tail *= r;
    const double next = ((n - 1) * r + sum / tail) / n;
    if (!(next < r)) break;
    r = next;
  }
  return r;
}

void lp_pool(const PoolGeometry& g, int64_t p, const float* x, float* y) {
  const int64_t step = g.channels_last ? g.channels : 1;
  for_each_range(g, [&](int64_t begin, int64_t end) {
    const int64_t inner = g.channels_last ? g.channels : g.output_size();
    for (int64_t i = begin * inner; i < end * inner; ++i) {
      const int64_t o = g.channels_last ? i / g.channels % g.output_size() : i % g.output_size();
      const int64_t image = g.channels_last
                                ? i / g.channels / g.output_size() * g.input_size() * g.channels + i % g.channels
                                : i / g.output_size() * g.input_size();
      double sum = 0;
      for_each_tap(g, o, [&](int64_t position) { sum += power(x[image + position * step], p); });
      y[i] = static_cast<float>(root(sum, p));
    }
  });
}

namespace {

float tree_sum(const float* sums, int64_t stride) {
  float v[kPoolLanes];
  for (int64_t i = 0; i < kPoolLanes; ++i) v[i] = sums[i * stride];
  for (int64_t half = kPoolLanes / 2; half > 0; half /= 2) {
    for (int64_t i = 0; i < half; ++i) v[i] += v[i + half];
  }
  return v[0];
}

// Working memory of the calling thread, which keeps it.
float* scratch_of_thread(int64_t elements) {
  thread_local std::vector<float> scratch;
  if (scratch.size() < static_cast<size_t>(elements)) scratch.resize(static_cast<size_t>(elements));
  return scratch.data();
}

// The positions of a channel lie side by side; they are read in pieces that stay in the first-level cache.
void average_planes(int64_t planes, int64_t spatial, const FloatSource& x, float* y) {
  constexpr int64_t kPiece = 4096;
  static_assert(kPiece % kPoolLanes == 0);
  parallel_for(planes, std::max<int64_t>(1, kGrain / spatial), [&](int64_t begin, int64_t end) {
    float* scratch = scratch_of_thread(std::min(spatial, kPiece));
    for (int64_t plane = begin; plane < end; ++plane) {
      float sums[kPoolLanes] = {};
      for (int64_t p = 0; p < spatial; p += kPiece) {
        const int64_t n = std::min(kPiece, spatial - p);
        HWY_DYNAMIC_DISPATCH(add_lanes)(x(plane * spatial + p, n, scratch), n, sums);
      }
      y[plane] = tree_sum(sums, 1) / static_cast<float>(spatial);
    }
  });
}

// The channels of a position lie side by side; threads share the partial sums, of which each adds up positions of its
// own.
void average_positions(int64_t batch, int64_t channels, int64_t spatial, const FloatSource& x, float* y) {
  Tensor partial(DType::kFloat32, {batch, kPoolLanes, channels});
  const std::span<float> sums = partial.mutable_data<float>();
  std::ranges::fill(sums, 0.0F);
  const int64_t work = std::max<int64_t>(1, (spatial + kPoolLanes - 1) / kPoolLanes * channels);
  parallel_for(batch * kPoolLanes, std::max<int64_t>(1, kGrain / work), [&](int64_t begin, int64_t end) {
    float* scratch = scratch_of_thread(kPoolLanes * channels);
    for (int64_t i = begin; i < end;) {
      const int64_t image = i / kPoolLanes, lane = i % kPoolLanes, lanes = std::min(end - i, kPoolLanes - lane);
      for (int64_t p = lane; p < spatial; p += kPoolLanes) {
        const int64_t n = std::min(lanes, spatial - p) * channels;
        const float* rows = x((image * spatial + p) * channels, n, scratch);
        HWY_DYNAMIC_DISPATCH(add_elements)(rows, n, sums.data() + i * channels);
      }
      i += lanes;
    }
  });
  for (int64_t i = 0; i < batch * channels; ++i) {
    const float* first = sums.data() + i / channels * kPoolLanes * channels + i % channels;
    y[i] = tree_sum(first, channels) / static_cast<float>(spatial);
  }
}

}  // namespace

void global_average_pool(int64_t batch, int64_t channels, int64_t spatial, bool channels_last, const FloatSource& x,
                         float* y) {
  if (channels_last) {
    average_positions(batch, channels, spatial, x, y);
  } else {
    average_planes(batch * channels, spatial, x, y);
  }
}

}  // namespace twofold
#endif  // HWY_ONCE
