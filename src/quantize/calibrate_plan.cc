#include "quantize/calibrate_plan.h"

#include "base/check.h"
#include "quantize/settle_movers.h"

namespace twofold {

void calibrate_plan(CalibratedModel& model, PlanRequest request, const CalibratedModel::OnSample& progress,
                    Plan& plan) {
  while (!model.calibrate(plan, progress)) {
    // Each time more tensors stay float32, which may take others out of their scale groups.
    TWOFOLD_CHECK(request.options.without_range != model.refused());
    request.options.without_range = model.refused();
    plan = model.resolved(request);
  }
  settle_movers(model, request.target, plan);
}

Plan calibrated_plan(CalibratedModel& model, const PlanRequest& request) {
  Plan plan = model.resolved(request);
  calibrate_plan(model, request, nullptr, plan);
  return plan;
}

}  // namespace twofold
