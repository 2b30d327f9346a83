#include "quantize/extent.h"

#include <algorithm>
#include <cmath>

namespace twofold {

float extent(const Range& bounds, bool asymmetric) {
  if (!asymmetric) return std::max(std::fabs(bounds.min), std::fabs(bounds.max));
  return std::max(bounds.max, 0.0F) / 2 - std::min(bounds.min, 0.0F) / 2;
}

std::optional<float> extent(const ValueBounds& bounds, std::span<const ValueId> values, bool asymmetric) {
  std::optional<Range> all;
  for (const ValueId value : values) {
    const auto it = bounds.find(value);
    if (it == bounds.end()) continue;
    if (!all) all = it->second;
    all->min = std::min(all->min, it->second.min);
    all->max = std::max(all->max, it->second.max);
  }
  return all ? std::optional(extent(*all, asymmetric)) : std::nullopt;
}

double decibels_lost(float ratio) { return 20 * std::log10(static_cast<double>(ratio)); }

}  // namespace twofold
