// Plans for configs that differ from the tested one in a few lines.
#ifndef TWOFOLD_SRC_DEBUG_REPLAN_H_
#define TWOFOLD_SRC_DEBUG_REPLAN_H_

#include "plan/config.h"
#include "plan/plan.h"
#include "plan/resolve.h"
#include "quantize/calibrated_model.h"

namespace twofold {

// A config with the lines for nodes and operators of another one added; key by key, the other one's win.
QuantConfig with_lines(QuantConfig config, const QuantConfig& lines);

// Resolves a changed config as a whole, so that what is tried is what the config would give, and takes scales and
// roundings from the tested plan where lines concern neither an operand's precision nor its range.
class Replanner {
 public:
  // Keeps references.
  Replanner(CalibratedModel& model, const QuantConfig& config, const Target& target, ResolveOptions options,
            const Plan& tested)
      : model_(model), config_(config), target_(target), options_(std::move(options)), tested_(tested) {}

  // Decided. Where the lines leave a range open, the method that the tested plan found for the operand is taken, else
  // the first one; weights are rounded to the nearest unless lines say otherwise. May calibrate what was not observed.
  Plan plan(const QuantConfig& lines);

  const QuantConfig& config() const { return config_; }
  const Target& target() const { return target_; }
  const Plan& tested() const { return tested_; }

 private:
  bool asks_for_range(const QuantConfig& lines, const OperandPlan& operand) const;
  void decide(const QuantConfig& lines, Plan& plan);

  CalibratedModel& model_;
  const QuantConfig& config_;
  const Target& target_;
  const ResolveOptions options_;
  const Plan& tested_;
};

}  // namespace twofold

#endif  // TWOFOLD_SRC_DEBUG_REPLAN_H_
