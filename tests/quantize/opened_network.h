// The small network, calibrated and with a plan that is decided.
#ifndef TWOFOLD_TESTS_QUANTIZE_OPENED_NETWORK_H_
#define TWOFOLD_TESTS_QUANTIZE_OPENED_NETWORK_H_

#include <memory>
#include <string>

#include "quantize/decide_plan.h"
#include "quantize/small_network.h"

namespace twofold {

inline const StageScope kNoStage = [](std::string_view, const std::function<void()>& step) { step(); };

// Makes a plan whole that is resolve()'s of the config for the cpu.
inline void decide_with(CalibratedModel& model, const std::string& config, Plan& plan) {
  const QuantConfig parsed = parse_config(config, "config");
  const Target cpu = load_target("cpu");
  decide_plan(model, {parsed, cpu, {}}, nullptr, kNoStage, plan);
}

struct OpenedNetwork {
  OpenedNetwork(const std::string& config, int samples, unsigned seed = 3)
      : data(random_samples(small_network(seed), samples, seed + 1)),
        model(small_network(seed), data.get(), {.threads = 1}),
        plan(plan_of(model.graph(), config)) {
    decide_with(model, config, plan);
  }

  std::unique_ptr<Dataset> data;
  CalibratedModel model;
  Plan plan;
};

}  // namespace twofold

#endif  // TWOFOLD_TESTS_QUANTIZE_OPENED_NETWORK_H_
