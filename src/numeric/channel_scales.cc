#include "numeric/channel_scales.h"

#include "base/check.h"

namespace twofold {

ChannelScales::ChannelScales(const Shape& shape, int64_t axis, std::span<const float> scale,
                             std::span<const int32_t> zero_point)
    : scale(scale), zero_point(zero_point) {
  const auto rank = static_cast<int64_t>(shape.size());
  TWOFOLD_CHECK(axis >= -1 && axis < rank);
  for (int64_t i = 0; i < rank; ++i) {
    (axis < 0 || i > axis ? inner : i == axis ? channels : outer) *= shape[static_cast<size_t>(i)];
  }
  TWOFOLD_CHECK(std::ssize(scale) == channels);
  TWOFOLD_CHECK(zero_point.empty() || zero_point.size() == scale.size());
}

ChannelScales::ChannelScales(const Shape& shape, const QParams& params)
    : ChannelScales(shape, params.axis, params.scale, params.zero_point) {
  TWOFOLD_CHECK(is_integer(params.qtype) && (params.qtype != QType::kEc || params.zero_point.empty()));
}

}  // namespace twofold
