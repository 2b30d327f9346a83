// The steps of post-training quantization between a plan of precisions and one that is whole.
#ifndef TWOFOLD_SRC_QUANTIZE_DECIDE_PLAN_H_
#define TWOFOLD_SRC_QUANTIZE_DECIDE_PLAN_H_

#include <functional>
#include <string_view>

#include "plan/config.h"
#include "plan/plan.h"
#include "quantize/calibrated_model.h"
#include "quantize/search_ranges.h"
#include "twofold/quantize.h"

namespace twofold {

// Calls `stage` around each step so that a caller can time it.
using StageScope = std::function<void(std::string_view stage, const std::function<void()>& step)>;

// Calibrates what the plan makes integers of, as far as the model has no statistics of it, then decides scales,
// roundings, bias corrections and ranges as plan and config ask. Afterwards CalibratedModel::apply needs nothing else.
RangeSearchCounters decide_plan(CalibratedModel& model, const ModelConfig& config, const Progress& progress,
                                const StageScope& stage, Plan& plan);

}  // namespace twofold

#endif  // TWOFOLD_SRC_QUANTIZE_DECIDE_PLAN_H_
