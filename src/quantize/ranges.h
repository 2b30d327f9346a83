// What calibration saw of the tensors of a plan, and the ranges that follow from it, each found once.
#ifndef TWOFOLD_SRC_QUANTIZE_RANGES_H_
#define TWOFOLD_SRC_QUANTIZE_RANGES_H_

#include <compare>
#include <map>
#include <string>
#include <tuple>
#include <vector>

#include "calibrate/range_search.h"
#include "calibrate/range_statistics.h"
#include "graph/graph.h"
#include "numeric/qparams.h"
#include "plan/plan.h"
#include "quantize/operand_scales.h"

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

// Minimum and maximum of what the plan's scales depend on (observation_requests), as far as there are statistics of it:
// the same whatever else was observed.
ValueBounds observed_bounds(const Graph& graph, const Plan& plan, const ValueStatistics& statistics);

// Of the plan's operands no more is looked at than OperandScales does, and how ranges may be found. Keeps references.
// Not thread-safe.
class Ranges {
 public:
  Ranges(const Graph& graph, const Plan& plan, const ValueStatistics& statistics);

  // What was seen of all tensors whose range the operand's scale covers; nullptr where the plan makes no integers of
  // any of them, or there are no statistics.
  const RangeStatistics* seen(NodeId node, OperandRef operand);
  // The range of the operand's scale. REQUIRES: seen(node, operand), with a histogram where the choice needs one.
  const FoundRange& find(NodeId node, OperandRef operand, const RangeChoice& choice, QType qtype);

 private:
  const RangeStatistics* seen(size_t scale);

  const ValueStatistics& statistics_;
  const ValueBounds bounds_;
  const OperandScales scales_;
  std::map<size_t, RangeStatistics> merged_;  // of scales with several observed tensors
  std::map<std::tuple<size_t, RangeChoice, QType>, FoundRange> found_;
};

}  // namespace twofold

#endif  // TWOFOLD_SRC_QUANTIZE_RANGES_H_
