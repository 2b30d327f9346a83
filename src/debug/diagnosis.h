// What limits a quantized model, and what would repair it for the least.
#ifndef TWOFOLD_SRC_DEBUG_DIAGNOSIS_H_
#define TWOFOLD_SRC_DEBUG_DIAGNOSIS_H_

#include <vector>

#include "debug/examined.h"
#include "quantize/plan_cost.h"
#include "twofold/job.h"

namespace twofold {

struct Diagnosis {
  Sensitivity whole;                // the model as the tested plan quantizes it
  double noise = 0;                 // of that
  double sum = 0;                   // of the noise of all nodes alone
  std::vector<Examined> nodes;      // that make a noticeable part of it, worst first
  std::vector<Examined> kinds;      // all nodes of an operator type, where there are several; worst first
  std::vector<Examined> blocks;     // all nodes in a folder of names, where that is not all of a kind; worst first
  const Examined* limit = nullptr;  // the node, kind or block that limits the model; nullptr: nothing does

  // The outcome: lines for the config with what is needed of that, the cheapest first choice of each.
  QuantConfig lines;
  Sensitivity repaired;  // the model with them
  PlanCost costs;        // of the tested plan
  double repaired_cost = 0;

  bool is_good() const { return noise <= kTolerableNoise; }
};

struct DiagnosisInput {
  Replanner& replanner;
  CalibratedModel& model;                         // with the samples to measure on
  CalibratedModel& calibrated;                    // with statistics
  const std::vector<Unit>& nodes;                 // units of kind node, of the tested plan
  const std::vector<Sensitivity>& sensitivities;  // of each
  std::vector<size_t> outputs;
  FixedSettings fixed;
  SensitivityOptions measuring;
  Progress progress = nullptr;
};

Diagnosis diagnose(const DiagnosisInput& input);

}  // namespace twofold

#endif  // TWOFOLD_SRC_DEBUG_DIAGNOSIS_H_
