#include "quantize/ranges.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "quantize/observation_requests.h"

namespace twofold {

namespace {

FoundRange search(const RangeStatistics& statistics, const RangeChoice& choice, QType qtype) {
  if (choice.asymmetric && qtype != QType::kEc) {
    const Range range = search_range(statistics, choice.options, qtype);
    return {asymmetric_qparams(std::min(range.min, 0.0F), std::max(range.max, 0.0F), qtype),
            std::max(std::fabs(range.min), std::fabs(range.max))};
  }
  const float threshold = search_threshold(statistics, choice.options, qtype);
  return {QParams{qtype, -1, {symmetric_scale(threshold, qtype)}, {}}, threshold};
}

}  // namespace

std::string to_string(const RangeChoice& choice) {
  std::string text(to_string(choice.options.method));
  if (choice.options.method == RangeMethod::kPercentile) text += fmt::format(" {}", choice.options.percentile);
  return choice.asymmetric ? text + ", asymmetric" : text;
}

ValueBounds observed_bounds(const Graph& graph, const Plan& plan, const ValueStatistics& statistics) {
  ValueBounds bounds;
  for (const ValueRequest& request : observation_requests(graph, plan)) {
    const auto it = statistics.find(request.value);
    if (it != statistics.end()) bounds[request.value] = {it->second.min(), it->second.max()};
  }
  return bounds;
}

Ranges::Ranges(const Graph& graph, const Plan& plan, const ValueStatistics& statistics)
    : statistics_(statistics), bounds_(observed_bounds(graph, plan, statistics)), scales_(graph, plan, bounds_) {}

const RangeStatistics* Ranges::seen(NodeId node, OperandRef operand) { return seen(scales_.scale(node, operand)); }

const RangeStatistics* Ranges::seen(size_t scale) {
  if (const auto it = merged_.find(scale); it != merged_.end()) return &it->second;
  std::vector<const RangeStatistics*> parts;
  for (ValueId observed : scales_.observed(scale)) {
    if (bounds_.contains(observed)) parts.push_back(&statistics_.at(observed));
  }
  if (parts.size() < 2) return parts.empty() ? nullptr : parts[0];
  RangeStatistics& sum = merged_.emplace(scale, *parts[0]).first->second;
  for (size_t i = 1; i < parts.size(); ++i) sum.merge(*parts[i]);
  return &sum;
}

const FoundRange& Ranges::find(NodeId node, OperandRef operand, const RangeChoice& choice, QType qtype) {
  const size_t scale = scales_.scale(node, operand);
  const auto [entry, inserted] = found_.try_emplace({scale, choice, qtype});
  if (inserted) entry->second = search(*seen(scale), choice, qtype);
  return entry->second;
}

}  // namespace twofold
