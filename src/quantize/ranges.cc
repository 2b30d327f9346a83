#include "quantize/ranges.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "quantize/decide.h"

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

Ranges::Ranges(const Graph& graph, const Plan& plan, const ValueStatistics& statistics)
    : groups_(graph, plan), statistics_(statistics) {
  for (const ValueRequest& request : observation_requests(graph, plan, groups_)) requested_.insert(request.value);
}

const RangeStatistics* Ranges::seen(ValueId value) {
  const ValueId group = groups_.representative(value);
  if (const auto it = merged_.find(group); it != merged_.end()) return &it->second;
  std::vector<const RangeStatistics*> parts;
  for (ValueId observed : groups_.observed(value)) {
    const auto it = requested_.contains(observed) ? statistics_.find(observed) : statistics_.end();
    if (it != statistics_.end()) parts.push_back(&it->second);
  }
  if (parts.size() < 2) return parts.empty() ? nullptr : parts[0];
  RangeStatistics& sum = merged_.emplace(group, *parts[0]).first->second;
  for (size_t i = 1; i < parts.size(); ++i) sum.merge(*parts[i]);
  return &sum;
}

const FoundRange& Ranges::find(ValueId value, const RangeChoice& choice, QType qtype) {
  const auto [entry, inserted] = found_.try_emplace({groups_.representative(value), choice, qtype});
  if (inserted) entry->second = search(*seen(value), choice, qtype);
  return entry->second;
}

}  // namespace twofold
