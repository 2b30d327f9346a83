#include "numeric/range_method.h"

namespace twofold {

namespace {

constexpr RangeMethod kMethods[] = {RangeMethod::kMax, RangeMethod::kPercentile, RangeMethod::kKl, RangeMethod::kMse};

}  // namespace

std::string_view to_string(RangeMethod method) {
  switch (method) {
    case RangeMethod::kMax: return "max";
    case RangeMethod::kPercentile: return "percentile";
    case RangeMethod::kKl: return "kl";
    case RangeMethod::kMse: return "mse";
  }
  return "max";
}

std::optional<RangeMethod> parse_range_method(std::string_view text) {
  for (RangeMethod method : kMethods) {
    if (text == to_string(method)) return method;
  }
  return std::nullopt;
}

}  // namespace twofold
