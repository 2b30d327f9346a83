// What calibration saw of the tensors of a plan, and the ranges that follow from it, each found once.
#ifndef TWOFOLD_SRC_QUANTIZE_RANGES_H_
#define TWOFOLD_SRC_QUANTIZE_RANGES_H_

#include <compare>
#include <map>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "calibrate/range_search.h"
#include "calibrate/range_statistics.h"
#include "graph/graph.h"
#include "numeric/qparams.h"
#include "plan/plan.h"
#include "quantize/scale_groups.h"

namespace twofold {

// How the range of an activation is found.
struct RangeChoice {
  RangeOptions options;
  bool asymmetric = false;

  auto operator<=>(const RangeChoice&) const = default;
};

// "percentile 0.9999, asymmetric".
std::string to_string(const RangeChoice& choice);

// A range, and the scale and zero point that cover it.
struct FoundRange {
  QParams params;
  float threshold = 0;  // largest magnitude that is not cut off
};

// Statistics by value; those of one value each.
using ValueStatistics = std::map<ValueId, RangeStatistics>;

// Of the plan's operands, which get integers or not and move data or not, no more is looked at. Keeps a reference to
// the statistics. Not thread-safe.
class Ranges {
 public:
  Ranges(const Graph& graph, const Plan& plan, const ValueStatistics& statistics);

  // What was seen of all tensors that share the value's scale; nullptr where the plan makes no integers of any of them,
  // or there are no statistics.
  const RangeStatistics* seen(ValueId value);
  // The range of the value's group. REQUIRES: seen(value), with a histogram where the choice needs one.
  const FoundRange& find(ValueId value, const RangeChoice& choice, QType qtype);

 private:
  const ScaleGroups groups_;
  const ValueStatistics& statistics_;
  std::set<ValueId> requested_;
  std::map<ValueId, RangeStatistics> merged_;  // of groups with several observed tensors, by representative
  std::map<std::tuple<ValueId, RangeChoice, QType>, FoundRange> found_;
};

}  // namespace twofold

#endif  // TWOFOLD_SRC_QUANTIZE_RANGES_H_
