#include "twofold/sensitive_samples.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "api/debug_steps.h"
#include "base/json_number.h"
#include "quantize/decide.h"

namespace twofold {

namespace {

double worst_of(const std::vector<Sensitivity::Values>& outputs, Metric metric) {
  double worst = outputs.front()[static_cast<size_t>(metric)];
  for (const Sensitivity::Values& values : outputs) {
    const double value = values[static_cast<size_t>(metric)];
    if (better(metric, worst, value)) worst = value;
  }
  return worst;
}

}  // namespace

std::vector<SensitiveSample> select_sensitive_samples(const DebugSubject& subject, const std::string& word,
                                                      int64_t count) {
  const Metric metric = parse_metrics({word}).front();
  DebugCase opened(subject);
  const Plan& plan = opened.plan();
  CalibratedModel& model = opened.measured(0);
  const Sensitivity whole =
      measure_alone(model, {decided_operands(model.graph(), plan)}, {.threads = subject.threads, .memory_cap = 0})
          .front();
  std::vector<SensitiveSample> samples;
  for (const std::vector<Sensitivity::Values>& outputs : whole.values()) {
    samples.push_back({static_cast<int64_t>(samples.size()), worst_of(outputs, metric)});
  }
  std::ranges::stable_sort(samples, [metric](const SensitiveSample& a, const SensitiveSample& b) {
    return better(metric, b.value, a.value);
  });
  if (static_cast<int64_t>(samples.size()) > count) samples.resize(static_cast<size_t>(std::max<int64_t>(count, 0)));
  return samples;
}

std::string to_json(const std::vector<SensitiveSample>& samples, const std::string& metric) {
  nlohmann::ordered_json rows = nlohmann::ordered_json::array();
  for (const SensitiveSample& row : samples) rows.push_back({{"sample", row.sample}, {metric, json_number(row.value)}});
  return rows.dump(1);
}

}  // namespace twofold
