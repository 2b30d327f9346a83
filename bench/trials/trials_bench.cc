// What a trial costs against making and running the whole model, in one thread.
//
//   trials_bench MODEL.onnx DATA [UNITS]
//
// The base is the model at int8 with max ranges. Each unit is one planned activation with three quarters of its range;
// units are taken at equal distances through the graph. Every trial is checked against the whole model before it
// counts.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <vector>

#include "api/float_model.h"
#include "base/parallel_for.h"
#include "data/dataset.h"
#include "engine/executor.h"
#include "engine/lower.h"
#include "passes/pipeline.h"
#include "plan/resolve.h"
#include "quantize/decide.h"
#include "quantize/decide_plan.h"
#include "quantize/trials.h"

namespace twofold {
namespace {

constexpr const char* kConfig =
    "model_config: {all_node_type: int8, activation: {calibration_type: max}, weight: {rounding: nearest}}";

double seconds_of(const std::function<void()>& step) {
  const auto start = std::chrono::steady_clock::now();
  step();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

// The model quantized, lowered, its weights packed, and run on the search samples.
MetricMeans whole(CalibratedModel& model, const std::vector<OperandQuantization>& operands) {
  Graph graph = model.graph();
  apply_quantization(graph, operands, model.weights());
  lower(graph);
  const Executor executor(graph, {.threads = 1});
  MetricMeans means;
  for (size_t i = 0; i < model.samples().size(); ++i) {
    model.samples().add_errors(i, executor.run(model.samples().inputs(i)), means);
  }
  return means;
}

std::vector<OperandChange> make_units(const Graph& graph, const Plan& plan, size_t count) {
  std::vector<OperandChange> all;
  for (const OperandPlan& operand : plan.operands()) {
    if (!is_quantized_activation(graph, operand)) continue;
    OperandChange change{graph.find_node(operand.node), operand.operand, operand.params};
    change.params->scale[0] *= 0.75F;
    all.push_back(change);
  }
  std::vector<OperandChange> units;
  for (size_t i = 0; i < std::min(count, all.size()); ++i) units.push_back(all[i * all.size() / count]);
  return units;
}

int run(const std::filesystem::path& path, const std::filesystem::path& data_path, size_t count) {
  const ThreadScope threads(1);
  Graph graph = import_float_model(path);
  run_passes(graph);
  const std::unique_ptr<Dataset> data = open_dataset(data_path, input_specs(graph));
  CalibratedModel model(std::move(graph), data.get(), {.threads = 1});
  const QuantConfig config = parse_config(kConfig, "config");
  const Target cpu = load_target("cpu");
  Plan plan;
  const double opening = seconds_of([&] { plan = decide_plan(model, {config, cpu, {}}, nullptr, kNoStage); });

  Trials trials(model, {});
  trials.set_base(decided_operands(model.graph(), plan));
  double trial_seconds = 0, whole_seconds = 0;
  const std::vector<OperandChange> units = make_units(model.graph(), plan, count);
  const VariantCounters before = trials.counters();
  for (const OperandChange& unit : units) {
    const std::vector<OperandQuantization> operands = trials.changed({unit});
    MetricMeans tried, expected;
    trial_seconds += seconds_of([&] { tried = *trials.measure(operands, Metric::kMse); });
    whole_seconds += seconds_of([&] { expected = whole(model, operands); });
    for (Metric metric : kAllMetrics) {
      if (tried.mean(metric) == expected.mean(metric)) continue;
      fmt::print(stderr, "node {}: the trial is not the whole model\n", model.graph().node(unit.node).name);
      return 1;
    }
  }
  const auto n = static_cast<double>(units.size());
  const auto run_nodes = static_cast<double>(trials.counters().nodes_run - before.nodes_run);
  const auto all_nodes = run_nodes + static_cast<double>(trials.counters().nodes_reused - before.nodes_reused);
  fmt::print("{}: {} units, {} samples, {} kernels packed\n", path.filename().string(), units.size(),
             model.samples().size(), trials.counters().kernels_made - before.kernels_made);
  fmt::print(
      "calibrate and decide {:.0f} ms; whole model {:.1f} ms; trial {:.1f} ms, {:.1f} times as fast; "
      "{:.0f} % of nodes run\n",
      1e3 * opening, 1e3 * whole_seconds / n, 1e3 * trial_seconds / n, whole_seconds / trial_seconds,
      100 * run_nodes / all_nodes);
  return 0;
}

}  // namespace
}  // namespace twofold

int main(int argc, char** argv) {
  if (argc < 3) {
    fmt::print(stderr, "usage: trials_bench MODEL.onnx DATA [UNITS]\n");
    return 2;
  }
  return twofold::run(argv[1], argv[2], argc > 3 ? static_cast<size_t>(std::atoi(argv[3])) : 40);
}
