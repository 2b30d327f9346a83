// What a user should know of a plan although no request is unmet, and requests that concern no single operand.
#ifndef TWOFOLD_SRC_PLAN_PLAN_NOTES_H_
#define TWOFOLD_SRC_PLAN_PLAN_NOTES_H_

#include <vector>

#include "graph/graph.h"
#include "plan/config.h"
#include "plan/config_levels.h"
#include "plan/plan.h"
#include "plan/target.h"

namespace twofold {

class PlanNotes {
 public:
  // What the plan was made from. `is_float` as float_values() gives it, `is_epilogue` as find_epilogues(),
  // `in_float_function` as find_float_functions().
  PlanNotes(const Graph& graph, const QuantConfig& config, const Target& target, const ConfigLevels& levels,
            const std::vector<bool>& is_float, const std::vector<bool>& is_epilogue,
            const std::vector<bool>& in_float_function)
      : graph_(graph),
        config_(config),
        target_(target),
        levels_(levels),
        is_float_(is_float),
        is_epilogue_(is_epilogue),
        in_float_function_(in_float_function) {}

  // Appends to the notes and unmet requests of a plan that has all its operands.
  void add_to(Plan& plan) const;

 private:
  void note_defaults(Plan& plan) const;
  void note_qtypes(Plan& plan) const;
  void note_other_floats(Plan& plan) const;

  const Graph& graph_;
  const QuantConfig& config_;
  const Target& target_;
  const ConfigLevels& levels_;
  const std::vector<bool>& is_float_;           // by ValueId
  const std::vector<bool>& is_epilogue_;        // by NodeId
  const std::vector<bool>& in_float_function_;  // by NodeId
};

}  // namespace twofold

#endif  // TWOFOLD_SRC_PLAN_PLAN_NOTES_H_
