#include "ops/requantize.h"

#include <algorithm>

#include "base/parallel_for.h"
#include "numeric/quantize.h"

namespace twofold {

namespace {

// Calls body(begin, end, channel) for runs of one channel, or body(begin, end, -1 - first channel) never: where
// channels lie innermost, runs are single elements and body sees each.
template <typename Body>
void for_each_channel_run(int64_t size, const ChannelGrid& grid, const Body& body) {
  const int64_t runs = size / grid.inner;
  const int64_t grain = std::max<int64_t>(1, (1 << 14) / grid.inner);
  parallel_for(runs, grain, [&](int64_t begin, int64_t end) {
    int64_t channel = begin % grid.channels;
    for (int64_t r = begin; r < end; ++r) {
      body(r * grid.inner, (r + 1) * grid.inner, static_cast<size_t>(channel));
      if (++channel == grid.channels) channel = 0;
    }
  });
}

template <typename T>
void requantize_to(std::span<const double> acc, const ChannelGrid& grid, const std::vector<double>& multiplier,
                   const OutputForm& form, Tensor& y) {
  T* out = y.mutable_data<T>().data();
  const double low = form.low - form.zero_point, high = form.high - form.zero_point;
  for_each_channel_run(static_cast<int64_t>(acc.size()), grid, [&](int64_t begin, int64_t end, size_t channel) {
    const double m = multiplier[channel];
    for (int64_t i = begin; i < end; ++i) {
      double v = round_half_even(acc[static_cast<size_t>(i)] * m);
      v = v < low ? low : v;
      v = v > high ? high : v;
      out[i] = static_cast<T>(static_cast<int32_t>(v) + form.zero_point);
    }
  });
}

void to_float(std::span<const double> acc, const ChannelGrid& grid, const std::vector<double>& unit, Tensor& y) {
  float* out = y.mutable_data<float>().data();
  for_each_channel_run(static_cast<int64_t>(acc.size()), grid, [&](int64_t begin, int64_t end, size_t channel) {
    const double u = unit[channel];
    for (int64_t i = begin; i < end; ++i) out[i] = static_cast<float>(acc[static_cast<size_t>(i)] * u);
  });
}

}  // namespace

void requantize(std::span<const double> acc, const ChannelGrid& grid, float s_a, std::span<const float> s_b,
                const OutputForm& form, Tensor& y) {
  if (acc.empty()) return;
  std::vector<double> unit(static_cast<size_t>(grid.channels));  // real value of one accumulator step
  for (size_t c = 0; c < unit.size(); ++c)
    unit[c] = static_cast<double>(s_a) * s_b[s_b.size() == 1 ? 0 : c % s_b.size()];
  if (form.dtype == DType::kFloat32) return to_float(acc, grid, unit, y);
  std::vector<double> multiplier = unit;
  for (double& m : multiplier) m /= form.scale;
  switch (form.dtype) {
    case DType::kInt8: return requantize_to<int8_t>(acc, grid, multiplier, form, y);
    case DType::kUInt8: return requantize_to<uint8_t>(acc, grid, multiplier, form, y);
    case DType::kInt16: return requantize_to<int16_t>(acc, grid, multiplier, form, y);
    default: return requantize_to<uint16_t>(acc, grid, multiplier, form, y);
  }
}

}  // namespace twofold
