// What a plan costs on a target.
#ifndef TWOFOLD_SRC_QUANTIZE_PLAN_COST_H_
#define TWOFOLD_SRC_QUANTIZE_PLAN_COST_H_

#include <string>
#include <vector>

#include "plan/plan.h"
#include "plan/target.h"
#include "quantize/calibrated_model.h"

namespace twofold {

struct NodeCost {
  std::string node, op_type;
  double work = 0;         // multiply-accumulates; elements of the outputs, where an operator has none
  double cost = 0;         // work times what the target asks for it at the node's precisions
  double conversions = 0;  // of the node's outputs, see below
};

// In units of one multiply-accumulate of int8 x int8 (targets/*.yaml).
struct PlanCost {
  std::vector<NodeCost> nodes;  // in graph order
  double of_inputs = 0;         // conversions of the model's inputs

  double total() const;
};

// Work is that of the shapes that the first sample has. Conversions count one per element: a tensor has one form for
// free, float32 where the node in front computes in float, else any one of those in which it is read; each further form
// (another precision, scale or zero point, or float32) is a conversion.
// Needs data. REQUIRES: every operand of the plan is one of the model's.
PlanCost plan_cost(CalibratedModel& model, const Plan& plan, const Target& target);

}  // namespace twofold

#endif  // TWOFOLD_SRC_QUANTIZE_PLAN_COST_H_
