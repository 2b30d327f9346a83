#include "calibrate/weight_scales.h"

#include <algorithm>
#include <functional>
#include <numeric>

#include "base/check.h"
#include "base/error.h"
#include "numeric/float_range.h"
#include "numeric/qparams.h"

namespace twofold {

namespace {

// The largest magnitude of each channel; `inner` numbers lie behind one index of the axis.
std::vector<float> magnitudes(std::span<const float> w, size_t channels, size_t inner) {
  std::vector<float> low(channels, 0.0F), high(channels, 0.0F);
  for (size_t start = 0, slice = 0; start < w.size();) {
    if (inner == 1) {  // neighbours are of different channels
      widen_ranges(w.subspan(start, channels), low, high);
      start += channels;
      continue;
    }
    const FloatRange range = float_range(w.subspan(start, inner));
    const size_t channel = slice++ % channels;
    low[channel] = std::min(low[channel], range.min);
    high[channel] = std::max(high[channel], range.max);
    start += inner;
  }
  for (size_t c = 0; c < channels; ++c) high[c] = std::max(high[c], -low[c]);
  return high;
}

}  // namespace

std::vector<float> weight_scales(const Tensor& weights, int channel_axis, QType qtype) {
  TWOFOLD_CHECK(channel_axis >= -1 && channel_axis < weights.rank() && weights.layout() == Layout::kPlain);
  const std::span<const float> w = weights.data<float>();
  if (!w.empty() && !float_range(w).finite)
    throw_error(ErrorCode::kInvalidArgument, "the weights hold NaN or infinity");
  size_t channels = 1, inner = w.size();
  if (channel_axis >= 0) {
    const auto axis = weights.shape().begin() + channel_axis;
    channels = static_cast<size_t>(*axis);
    inner = static_cast<size_t>(std::accumulate(axis + 1, weights.shape().end(), int64_t{1}, std::multiplies<>()));
  }
  std::vector<float> scales;
  for (const float threshold : magnitudes(w, channels, inner)) scales.push_back(symmetric_scale(threshold, qtype));
  return scales;
}

}  // namespace twofold
