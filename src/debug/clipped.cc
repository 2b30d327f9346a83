#include "debug/clipped.h"

#include <algorithm>
#include <vector>

#include "debug/channel_of.h"
#include "numeric/ec.h"

namespace twofold {

namespace {

// What is rounded to an integer that there is.
struct Range {
  Range(const QParams& params, size_t channel) {
    const float scale = params.scale[channel];
    const double step = params.qtype == QType::kEc ? ec_residual_scale(scale) : scale;
    const double zero = params.zero_point.empty() ? 0 : params.zero_point[channel];
    low = (qmin(params.qtype) - zero - 0.5) * step;
    high = (qmax(params.qtype) - zero + 0.5) * step;
  }
  double low, high;
};

}  // namespace

uint64_t count_clipped(const Tensor& tensor, const QParams& params) {
  std::vector<Range> ranges;
  for (size_t c = 0; c < params.scale.size(); ++c) ranges.emplace_back(params, c);
  const ChannelOf channel(tensor.shape(), params.axis);
  uint64_t count = 0;
  const std::span<const float> x = tensor.data<float>();
  for (size_t i = 0; i < x.size(); ++i) {
    const Range& range = ranges[channel(i) % ranges.size()];
    if (x[i] < range.low || x[i] > range.high) ++count;
  }
  return count;
}

}  // namespace twofold
