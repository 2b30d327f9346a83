// The steps of post-training quantization between a config and a plan that is whole.
#ifndef TWOFOLD_SRC_QUANTIZE_DECIDE_PLAN_H_
#define TWOFOLD_SRC_QUANTIZE_DECIDE_PLAN_H_

#include <functional>
#include <string_view>

#include "plan/plan.h"
#include "quantize/calibrate_plan.h"
#include "quantize/calibrated_model.h"
#include "quantize/search_ranges.h"
#include "twofold/quantize.h"

namespace twofold {

// Calls `stage` around each step so that a caller can time it.
using StageScope = std::function<void(std::string_view stage, const std::function<void()>& step)>;

// The whole plan of a request: resolved, with the precisions of kinds of operators that the config leaves open chosen
// (choose_kinds.h), then decided as below. Says in the plan's notes what was chosen, and where 16-bit products are
// limited by other operators that a config keeps at 8 bits. Throws what resolve() does.
Plan plan_of_config(CalibratedModel& model, const PlanRequest& request, const Progress& progress,
                    const StageScope& stage);

// Calibrates what the plan, resolve()'s of the request, makes integers of, as far as the model has no statistics of it
// (calibrate_plan.h says where another plan comes of that), then decides scales, roundings, bias corrections and ranges
// as plan and config ask. Afterwards CalibratedModel::apply needs nothing else.
RangeSearchCounters decide_plan(CalibratedModel& model, const PlanRequest& request, const Progress& progress,
                                const StageScope& stage, Plan& plan);

}  // namespace twofold

#endif  // TWOFOLD_SRC_QUANTIZE_DECIDE_PLAN_H_
