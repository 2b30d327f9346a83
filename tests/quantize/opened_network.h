// The small network, calibrated and with a plan that is decided.
#ifndef TWOFOLD_TESTS_QUANTIZE_OPENED_NETWORK_H_
#define TWOFOLD_TESTS_QUANTIZE_OPENED_NETWORK_H_

#include <memory>
#include <string>

#include "quantize/decide_plan.h"
#include "quantize/small_network.h"

namespace twofold {

// The whole plan of a config for the cpu, with int8 where it says nothing.
inline Plan decided_plan(CalibratedModel& model, const std::string& config) {
  QuantConfig parsed = parse_config(config, "config");
  if (!parsed.model.all_node_type) parsed.model.all_node_type = QType::kInt8;
  const Target cpu = load_target("cpu");
  return decide_plan(model, {parsed, cpu, {}}, nullptr, kNoStage);
}

struct OpenedNetwork {
  OpenedNetwork(const std::string& config, int samples, unsigned seed = 3)
      : data(random_samples(small_network(seed), samples, seed + 1)),
        model(small_network(seed), data.get(), {.threads = 1}),
        plan(decided_plan(model, config)) {}

  std::unique_ptr<Dataset> data;
  CalibratedModel model;
  Plan plan;
};

}  // namespace twofold

#endif  // TWOFOLD_TESTS_QUANTIZE_OPENED_NETWORK_H_
