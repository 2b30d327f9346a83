#include "calibrate/weight_scales.h"

#include <algorithm>
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
  std::vector<float> low(channels, 0.0F), high(channels, 0.0F), scales;
  widen_channels(w, inner, low, high);
  for (size_t c = 0; c < channels; ++c) scales.push_back(symmetric_scale(std::max(high[c], -low[c]), qtype));
  return scales;
}

}  // namespace twofold
