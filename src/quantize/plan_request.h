// What a plan is made from, beside the model.
#ifndef TWOFOLD_SRC_QUANTIZE_PLAN_REQUEST_H_
#define TWOFOLD_SRC_QUANTIZE_PLAN_REQUEST_H_

#include "plan/config.h"
#include "plan/resolve.h"
#include "plan/target.h"

namespace twofold {

// Keeps references to config and target.
struct PlanRequest {
  const QuantConfig& config;
  const Target& target;
  ResolveOptions options;
};

}  // namespace twofold

#endif  // TWOFOLD_SRC_QUANTIZE_PLAN_REQUEST_H_
