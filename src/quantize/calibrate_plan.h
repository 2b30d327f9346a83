// Calibrates what a plan makes integers of, and makes the plan anew where that cannot be.
#ifndef TWOFOLD_SRC_QUANTIZE_CALIBRATE_PLAN_H_
#define TWOFOLD_SRC_QUANTIZE_CALIBRATE_PLAN_H_

#include "plan/plan.h"
#include "quantize/calibrated_model.h"
#include "quantize/plan_request.h"

namespace twofold {

// Gives the model statistics of all that the plan, which is model.resolved() of the request, makes integers of. Where a
// tensor has no range (-infinity masks scores, say), the plan becomes the one that leaves it float32, with the reason;
// then what moves data stays float where no one scale fits (settle_movers.h).
// Throws Error as resolve() and CalibratedModel::calibrate() do: under `strict` for every such tensor.
void calibrate_plan(CalibratedModel& model, PlanRequest request, const CalibratedModel::OnSample& progress, Plan& plan);

// The plan that model.resolved() gives, calibrated so.
Plan calibrated_plan(CalibratedModel& model, const PlanRequest& request);

}  // namespace twofold

#endif  // TWOFOLD_SRC_QUANTIZE_CALIBRATE_PLAN_H_
