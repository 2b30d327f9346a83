// The steps of post-training quantization between a config and a plan that is whole.
#ifndef TWOFOLD_SRC_QUANTIZE_DECIDE_PLAN_H_
#define TWOFOLD_SRC_QUANTIZE_DECIDE_PLAN_H_

#include <functional>
#include <string_view>

#include "plan/plan.h"
#include "quantize/calibrate_plan.h"
#include "quantize/calibrated_model.h"
#include "twofold/quantize.h"

namespace twofold {

// Calls `stage` around each step so that a caller can time it.
using StageScope = std::function<void(std::string_view stage, const std::function<void()>& step)>;
// Of a caller that does not.
inline const StageScope kNoStage = [](std::string_view, const std::function<void()>& step) { step(); };

// The whole plan of a request, after which CalibratedModel::apply needs nothing else: resolved; the model equalized
// where that pays (choose_equalizations.h), and calibrated as far as it has no statistics (calibrate_plan.h says where
// another plan comes of that); precisions of kinds of operators that the config leaves open are chosen
// (choose_kinds.h); then scales, roundings, bias corrections and ranges are decided. The plan's notes say what was
// chosen, and where 16-bit products are limited by other operators that a config keeps at 8 bits. Throws what resolve()
// does.
Plan decide_plan(CalibratedModel& model, const PlanRequest& request, const Progress& progress, const StageScope& stage);

}  // namespace twofold

#endif  // TWOFOLD_SRC_QUANTIZE_DECIDE_PLAN_H_
