// How far the numbers of a tensor reach, which its scale follows, and how much of its own resolution one may lose to a
// scale that is shared.
#ifndef TWOFOLD_SRC_QUANTIZE_EXTENT_H_
#define TWOFOLD_SRC_QUANTIZE_EXTENT_H_

#include <map>
#include <optional>
#include <span>

#include "calibrate/range_search.h"
#include "graph/graph.h"

namespace twofold {

// Minimum and maximum by value.
using ValueBounds = std::map<ValueId, Range>;

// The half of the interval that integers must cover: max |x|, or, with zero points, half of what min, max and 0 span.
// Steps are proportional to it, whatever the precision.
float extent(const Range& bounds, bool asymmetric);

// Of these values taken together; nothing where there are bounds of none of them.
std::optional<float> extent(const ValueBounds& bounds, std::span<const ValueId> values, bool asymmetric);

// How many times as wide a shared scale may be as that of an operand's own range: half a bit, 3.01 dB.
//
// To share costs an operand 20 log10(r) dB, r being this ratio. Not to share costs what goes on at the wider scale a
// second rounding, where the first is not free: noise of 1 + 1/r^2 in place of 1. Both are equal at r^2 = 1.618 (2.1
// dB): above that more is lost by sharing. Half a bit keeps together what differs only as samples do.
inline constexpr float kSharedScaleRatio = 1.41421356F;

// 20 log10(ratio).
double decibels_lost(float ratio);

}  // namespace twofold

#endif  // TWOFOLD_SRC_QUANTIZE_EXTENT_H_
