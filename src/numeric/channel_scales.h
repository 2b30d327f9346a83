// Scales and zero points laid over an array: one of each for all of it, or for every channel.
#ifndef TWOFOLD_SRC_NUMERIC_CHANNEL_SCALES_H_
#define TWOFOLD_SRC_NUMERIC_CHANNEL_SCALES_H_

#include <cstddef>
#include <cstdint>
#include <span>

#include "numeric/qparams.h"
#include "twofold/tensor.h"

namespace twofold {

// A dense array seen as [outer, channels, inner]; the channels are the positions of one axis of its shape. A view: the
// numbers must outlive it. For ec, `scale` is that of the first digit and there are no zero points.
struct ChannelScales {
  int64_t outer = 1, channels = 1, inner = 1;
  std::span<const float> scale;         // [channels], each > 0
  std::span<const int32_t> zero_point;  // [channels], or empty: all 0

  // axis -1: one channel. REQUIRES: -1 <= axis < shape.size(); as many scales as channels.
  ChannelScales(const Shape& shape, int64_t axis, std::span<const float> scale, std::span<const int32_t> zero_point);
  // REQUIRES: is_integer(params.qtype).
  ChannelScales(const Shape& shape, const QParams& params);

  int64_t size() const { return outer * channels * inner; }
};

}  // namespace twofold

#endif  // TWOFOLD_SRC_NUMERIC_CHANNEL_SCALES_H_
