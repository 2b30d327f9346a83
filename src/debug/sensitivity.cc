#include "debug/sensitivity.h"

#include <algorithm>
#include <cmath>
#include <mutex>
#include <numeric>

#include "base/parallel_for.h"
#include "base/parallel_tasks.h"
#include "debug/trials_of_threads.h"
#include "quantize/decide.h"

namespace twofold {

namespace {

// Units that read the model early run most of it again: they go first, so that no thread ends with a long one.
std::vector<size_t> longest_first(const Graph& graph, const std::vector<std::vector<OperandQuantization>>& operands) {
  std::vector<size_t> place(static_cast<size_t>(graph.node_limit()));
  const std::vector<NodeId> order = graph.topological_order();
  for (size_t i = 0; i < order.size(); ++i) place[static_cast<size_t>(order[i])] = i;
  const auto first = [&](size_t unit) {
    size_t least = order.size();
    for (const OperandQuantization& operand : operands[unit]) {
      least = std::min(least, place[static_cast<size_t>(operand.node)]);
    }
    return least;
  };
  std::vector<size_t> units(operands.size());
  std::iota(units.begin(), units.end(), size_t{0});
  std::ranges::stable_sort(units, {}, first);
  return units;
}

size_t index_of(Metric metric) { return static_cast<size_t>(metric); }

}  // namespace

double Sensitivity::mean(size_t output, Metric metric) const {
  double sum = 0;
  for (const std::vector<Values>& sample : values_) sum += sample[output][index_of(metric)];
  return sum / static_cast<double>(values_.size());
}

double Sensitivity::deviation(size_t output, Metric metric) const {
  if (values_.size() < 2) return 0;
  const double center = mean(output, metric);
  double sum = 0;
  for (const std::vector<Values>& sample : values_) {
    const double distance = sample[output][index_of(metric)] - center;
    sum += distance * distance;
  }
  return std::sqrt(sum / static_cast<double>(values_.size() - 1));
}

double Sensitivity::noise(const std::vector<size_t>& outputs) const {
  double worst = 0;
  for (const size_t output : outputs) {
    double sum = 0;
    for (const std::vector<Values>& sample : values_) {
      sum += noise_of_sqnr(sample[output][index_of(Metric::kSqnr)]);
    }
    worst = std::max(worst, sum / static_cast<double>(values_.size()));
  }
  return worst;
}

size_t Sensitivity::worst_output(const std::vector<size_t>& outputs, Metric metric) const {
  return *std::ranges::max_element(
      outputs, [&](size_t a, size_t b) { return better(metric, mean(a, metric), mean(b, metric)); });
}

Sensitivity sensitivity_of(const std::vector<std::vector<ErrorSums>>& errors) {
  std::vector<std::vector<Sensitivity::Values>> values;
  for (const std::vector<ErrorSums>& sample : errors) {
    std::vector<Sensitivity::Values>& of_sample = values.emplace_back();
    for (const ErrorSums& sums : sample) {
      Sensitivity::Values& of_output = of_sample.emplace_back();
      for (const Metric metric : kAllMetrics) of_output[index_of(metric)] = sums.value(metric);
    }
  }
  return Sensitivity(std::move(values));
}

std::vector<std::vector<OperandQuantization>> operands_of(const Graph& graph, const Plan& plan,
                                                          const std::vector<Unit>& units) {
  std::vector<std::vector<OperandQuantization>> result;
  for (const Unit& unit : units) {
    std::vector<OperandQuantization>& operands = result.emplace_back();
    for (const size_t position : unit.operands) operands.push_back(decided_operand(graph, plan.operands()[position]));
  }
  return result;
}

SensitivityOptions counting(SensitivityOptions options, const Progress& progress, std::string stage, size_t total) {
  if (!progress) return options;
  options.on_unit = [&progress, stage = std::move(stage), done = int64_t{0}, total = static_cast<int64_t>(total)](
                        size_t, const Sensitivity&) mutable { progress(stage, ++done, total); };
  return options;
}

std::vector<Sensitivity> measure_sensitivity(CalibratedModel& model, const Plan& plan, const std::vector<Unit>& units,
                                             const SensitivityOptions& options) {
  return measure_alone(model, operands_of(model.graph(), plan, units), options);
}

std::vector<Sensitivity> measure_alone(CalibratedModel& model,
                                       const std::vector<std::vector<OperandQuantization>>& operands,
                                       const SensitivityOptions& options) {
  const ThreadScope threads(options.threads);
  Trials base(model, {.memory_cap = options.memory_cap, .threads = 1});
  base.set_base({});
  TrialsOfThreads trials(std::move(base));
  const std::vector<size_t> order = longest_first(model.graph(), operands);
  std::vector<Sensitivity> result(operands.size());
  std::mutex telling;
  parallel_tasks(static_cast<int64_t>(operands.size()), [&](int64_t task) {
    const size_t unit = order[static_cast<size_t>(task)];
    trials.with([&](Trials& mine) { result[unit] = sensitivity_of(mine.errors(operands[unit])); });
    const std::lock_guard<std::mutex> lock(telling);
    if (options.on_unit) options.on_unit(unit, result[unit]);
  });
  return result;
}

}  // namespace twofold
