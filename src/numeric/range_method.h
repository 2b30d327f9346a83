// The ways to find the range of an activation from what was seen of it.
#ifndef TWOFOLD_SRC_NUMERIC_RANGE_METHOD_H_
#define TWOFOLD_SRC_NUMERIC_RANGE_METHOD_H_

#include <cstdint>
#include <optional>
#include <string_view>

namespace twofold {

enum class RangeMethod : uint8_t { kMax, kPercentile, kKl, kMse };

// "max", "percentile", "kl", "mse": the words of the config file.
std::string_view to_string(RangeMethod method);
std::optional<RangeMethod> parse_range_method(std::string_view text);

}  // namespace twofold

#endif  // TWOFOLD_SRC_NUMERIC_RANGE_METHOD_H_
