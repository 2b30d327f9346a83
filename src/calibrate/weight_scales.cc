#include "calibrate/weight_scales.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <numeric>

#include "base/check.h"
#include "base/error.h"
#include "numeric/float_range.h"
#include "numeric/qparams.h"

namespace twofold {

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
  std::vector<float> thresholds(channels, 0.0F);
  for (size_t start = 0, slice = 0; start < w.size(); start += inner, ++slice) {
    const FloatRange range = float_range(w.subspan(start, inner));
    float& threshold = thresholds[slice % channels];
    threshold = std::max({threshold, std::fabs(range.min), std::fabs(range.max)});
  }
  std::vector<float> scales;
  for (float threshold : thresholds) scales.push_back(symmetric_scale(threshold, qtype));
  return scales;
}

}  // namespace twofold
