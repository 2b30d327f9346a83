// From a plan and statistics to numbers: the scale and zero point of every planned operand.
#ifndef TWOFOLD_SRC_QUANTIZE_DECIDE_H_
#define TWOFOLD_SRC_QUANTIZE_DECIDE_H_

#include <map>
#include <vector>

#include "calibrate/calibrate.h"
#include "calibrate/range_search.h"
#include "graph/graph.h"
#include "plan/plan.h"
#include "quantize/apply.h"
#include "quantize/scale_groups.h"

namespace twofold {

// How the range of an activation is found.
struct RangeChoice {
  RangeOptions options;
  bool asymmetric = false;

  bool operator==(const RangeChoice&) const = default;
};

// "percentile 0.9999, asymmetric".
std::string to_string(const RangeChoice& choice);

// Every choice that the config leaves open for an activation operand: the product of its lists, or, where it names no
// method, of max, percentile 0.9999 and 0.99999, kl and mse. At least one.
std::vector<RangeChoice> range_choices(const OperandPlan& operand);

// What calibration must observe for a plan: each value whose range sets a scale, once.
std::vector<ValueRequest> observation_requests(const Graph& graph, const Plan& plan, const ScaleGroups& groups);

// An index into range_choices(operand) for operands of the plan, by position; 0 for those not in the map.
using ChoiceMap = std::map<size_t, size_t>;

// What calibration saw of each group of tensors that share a scale, by the group's representative.
using GroupStatistics = std::map<ValueId, RangeStatistics>;
GroupStatistics group_statistics(const ScaleGroups& groups, CalibrationResult calibration);

// Fills in params, threshold and method of every operand that gets integers: of weights and other constants from their
// values, and of activations from statistics.
// Throws Error(kInvalidArgument) naming node and operand for constants with NaN or infinity.
void decide_constants(const Graph& graph, Plan& plan);
void decide_activations(const Graph& graph, const ScaleGroups& groups, const GroupStatistics& statistics,
                        const ChoiceMap& choices, Plan& plan);

// The decided operands of a plan in the form that apply_quantization takes: a weight is rounded as the
// first entry of its rounding list says, to the nearest where it is empty.
std::vector<OperandQuantization> decided_operands(const Graph& graph, const Plan& plan);

}  // namespace twofold

#endif  // TWOFOLD_SRC_QUANTIZE_DECIDE_H_
