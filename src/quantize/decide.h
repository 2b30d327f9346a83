// From a plan and statistics to numbers: the scale and zero point of every planned operand.
#ifndef TWOFOLD_SRC_QUANTIZE_DECIDE_H_
#define TWOFOLD_SRC_QUANTIZE_DECIDE_H_

#include <map>
#include <vector>

#include "graph/graph.h"
#include "plan/plan.h"
#include "quantize/apply.h"
#include "quantize/ranges.h"

namespace twofold {

// Every choice that the config leaves open for an activation operand: the product of its lists, or, where it names no
// method, of max, percentile 0.9999 and 0.99999, kl and mse. At least one.
std::vector<RangeChoice> range_choices(const OperandPlan& operand);

// An index into range_choices(operand) for operands of the plan, by position; 0 for those not in the map.
using ChoiceMap = std::map<size_t, size_t>;

// Fills in params, threshold and method of every operand that gets integers: of weights and other constants from their
// values, and of activations from their ranges.
// Throws Error(kInvalidArgument) naming node and operand for constants with NaN or infinity, and for activations of
// which there are no statistics.
void decide_constants(const Graph& graph, Plan& plan);
// Of one operand. REQUIRES: it is a constant of the graph.
void decide_constant(const Graph& graph, OperandPlan& operand);
void decide_activations(const Graph& graph, Ranges& ranges, const ChoiceMap& choices, Plan& plan);
// The same of one operand, by position. REQUIRES: it is an activation that gets integers.
void decide_activation(const Graph& graph, Ranges& ranges, size_t position, const RangeChoice& choice, Plan& plan);

// Gives activations whose range is to be searched the one of the least squared error, for what is measured before that
// search: the largest number of all, say, hides what other choices are worth.
void take_mse_ranges(Plan& plan);

// Whether the operand gets integers made from an activation (not from a constant of the graph).
bool is_quantized_activation(const Graph& graph, const OperandPlan& operand);

// A decided operand in the form that apply_quantization takes: a weight is rounded as the first entry of its rounding
// list says, to the nearest where it is empty. REQUIRES: it does not stay float32.
OperandQuantization decided_operand(const Graph& graph, const OperandPlan& operand);
// All of a plan.
std::vector<OperandQuantization> decided_operands(const Graph& graph, const Plan& plan);

}  // namespace twofold

#endif  // TWOFOLD_SRC_QUANTIZE_DECIDE_H_
