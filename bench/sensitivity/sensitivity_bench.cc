// What the sensitivity of every node costs, against the naive loop and against what suffix re-execution could give.
//
//   sensitivity_bench compare MODEL.onnx DATA [THREADS [ROUNDS]]
//   sensitivity_bench exact|whole|scratch MODEL.onnx DATA [THREADS]
//
// The plan is int8 with max ranges, made once and not timed. Every way measures all nodes that get integers, on one
// sample, the units spread over the threads, a thread per run:
//
//   exact    the debugger's: float values are kept, and only what depends on the unit runs (debug/sensitivity.h)
//   whole    the naive loop: each unit is quantized alone, lowered, and the whole model runs; packed weights are shared
//   scratch  the same with an executor of its own for every unit, which packs all weights again
//
// `compare` first holds every unit's result of the ways against each other, to the bit. Then they run in turns, the
// last in the first round only. It prints a line of JSON: median seconds, the median of the rounds' ratios by the clock
// and by CPU time, the ceiling of suffix re-execution (units over the sum of the shares of the float model's time that
// depend on each), the share of it that is reached by CPU time, and what the parts of making and running a variant take
// in one thread. The other commands run one way, once, and print its seconds and the memory that it took at most on top
// of what was there before.
#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <chrono>
#include <cstdlib>
#include <ctime>
#include <fstream>
#include <functional>
#include <limits>
#include <map>
#include <nlohmann/json.hpp>
#include <numeric>
#include <string>
#include <string_view>
#include <vector>

#include "api/float_model.h"
#include "base/error.h"
#include "base/parallel_for.h"
#include "base/parallel_tasks.h"
#include "data/dataset.h"
#include "debug/estimate.h"
#include "debug/sensitivity.h"
#include "debug/trials_of_threads.h"
#include "engine/executor.h"
#include "engine/fuse.h"
#include "engine/lower.h"
#include "passes/pipeline.h"
#include "plan/resolve.h"
#include "quantize/decide.h"
#include "quantize/decide_plan.h"

namespace twofold {
namespace {

constexpr const char* kConfig =
    "model_config: {all_node_type: int8, activation: {calibration_type: max}, weight: {rounding: nearest}}";
// Runs of the float model that the shares of its operators are taken from.
constexpr int kProfileRuns = 10;

using Results = std::vector<Sensitivity>;

double seconds_of(const std::function<void()>& step) {
  const auto start = std::chrono::steady_clock::now();
  step();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

// Wall-clock time, and that of all threads on their cores: what other programs take does not count there.
struct Seconds {
  double wall = 0, cpu = 0;
};

Seconds both_seconds_of(const std::function<void()>& step) {
  const std::clock_t start = std::clock();
  const double wall = seconds_of(step);
  return {wall, static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC};
}

double cpu_seconds_of(const std::function<void()>& step) { return both_seconds_of(step).cpu; }

double median(std::vector<double> values) {
  std::ranges::sort(values);
  const size_t middle = values.size() / 2;
  return values.size() % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
}

// A model with its plan, one sample, and the units that are measured.
class Subject {
 public:
  Subject(const std::filesystem::path& path, const std::filesystem::path& data_path, int threads)
      : threads_(threads), graph_(import_float_model(path)) {
    run_passes(graph_);
    data_ = open_dataset(data_path, input_specs(graph_));
    model_ = std::make_unique<CalibratedModel>(graph_, data_.get(),
                                               CalibratedModel::Options{.threads = threads, .search_samples = 1});
    const QuantConfig config = parse_config(kConfig, "config");
    const Target cpu = load_target("cpu");
    plan_ = decide_plan(*model_, {config, cpu, {}}, nullptr, kNoStage);
    units_ = units_of(graph_, plan_, UnitKind::kNode);
    for (const Unit& unit : units_) {
      std::vector<OperandQuantization>& operands = operands_.emplace_back();
      for (const size_t position : unit.operands) {
        operands.push_back(decided_operand(graph_, plan_.operands()[position]));
      }
    }
    warm();
  }

  const Graph& graph() const { return graph_; }
  const std::vector<Unit>& units() const { return units_; }
  const std::vector<OperandQuantization>& operands(size_t unit) const { return operands_[unit]; }
  CalibratedModel& model() { return *model_; }

  Results exact() { return measure_sensitivity(*model_, plan_, units_, {.threads = threads_}); }

  Results whole() {
    Trials base(*model_, {.memory_cap = 0, .threads = 1});
    base.set_base({});
    TrialsOfThreads trials(std::move(base));
    return each([&](size_t unit, std::vector<std::vector<ErrorSums>>& errors) {
      trials.with([&](Trials& mine) { errors = mine.errors(operands_[unit]); });
    });
  }

  Results scratch() {
    return each([&](size_t unit, std::vector<std::vector<ErrorSums>>& errors) {
      Graph graph = graph_;
      apply_quantization(graph, operands_[unit], model_->weights());
      lower(graph);
      SearchSamples& samples = model_->samples();
      errors = {samples.errors(0, Executor(graph, {.threads = 1}).run(samples.inputs(0)))};
    });
  }

  // As `--estimate` does it: backward sweeps for all, and the worst measured.
  Results estimate() {
    const EstimateOptions options{.outputs = all_outputs(), .top = kConfirmed, .threads = threads_};
    const Estimates estimates = estimate_sensitivity(*model_, plan_, units_, options);
    confirmed_ = units_to_confirm(estimates, options.outputs, options.metric, options.top);
    std::vector<Unit> worst;
    for (const size_t unit : confirmed_) worst.push_back(units_[unit]);
    const std::vector<Sensitivity> measured = measure_sensitivity(*model_, plan_, worst, {.threads = threads_});
    Results results(units_.size());
    for (size_t i = 0; i < units_.size(); ++i) {
      if (estimates.units[i]) results[i] = estimates.units[i]->sensitivity;
    }
    for (size_t i = 0; i < confirmed_.size(); ++i) results[confirmed_[i]] = measured[i];
    return results;
  }

  std::vector<size_t> all_outputs() const {
    std::vector<size_t> outputs(graph_.outputs.size());
    std::iota(outputs.begin(), outputs.end(), size_t{0});
    return outputs;
  }
  // Those that estimate() has measured.
  const std::vector<size_t>& confirmed() const { return confirmed_; }

 private:
  static constexpr size_t kConfirmed = 40;

  using Measure = std::function<void(size_t, std::vector<std::vector<ErrorSums>>&)>;

  Results each(const Measure& measure) {
    const ThreadScope threads(threads_);
    Results results(units_.size());
    parallel_tasks(static_cast<int64_t>(units_.size()), [&](int64_t task) {
      const auto unit = static_cast<size_t>(task);
      std::vector<std::vector<ErrorSums>> errors;
      measure(unit, errors);
      results[unit] = sensitivity_of(errors);
    });
    return results;
  }

  // What all ways share and none pays for: the float reference, and the integers of weights.
  void warm() {
    Graph graph = graph_;
    apply_quantization(graph, decided_operands(graph_, plan_), model_->weights());
    SearchSamples& samples = model_->samples();
    const Executor executor(graph_, {.threads = 1});
    samples.errors(0, executor.run(samples.inputs(0)));
  }

  const int threads_;
  Graph graph_;
  std::unique_ptr<Dataset> data_;
  std::unique_ptr<CalibratedModel> model_;
  Plan plan_;
  std::vector<Unit> units_;
  std::vector<std::vector<OperandQuantization>> operands_;
  std::vector<size_t> confirmed_;
};

struct Way {
  std::string_view name;
  Results (Subject::*run)();
};

constexpr Way kWays[] = {{"exact", &Subject::exact}, {"whole", &Subject::whole}, {"scratch", &Subject::scratch}};

constexpr Way kEstimate = {"estimate", &Subject::estimate};

// Of the noise of the 20 worst units, the part that the 20 worst of those have which an estimate had measured.
double share_of_worst(const Subject& subject, const Results& exact) {
  constexpr size_t kWorst = 20;
  const auto worst = [&](std::vector<double> noise) {
    std::ranges::sort(noise, std::greater());
    noise.resize(std::min(noise.size(), kWorst));
    return std::accumulate(noise.begin(), noise.end(), 0.0);
  };
  std::vector<double> all, confirmed;
  for (const Sensitivity& unit : exact) all.push_back(unit.noise(subject.all_outputs()));
  for (const size_t unit : subject.confirmed()) confirmed.push_back(all[unit]);
  return worst(confirmed) / worst(all);
}

// NaN is as good as NaN.
bool same_bits(const Sensitivity& a, const Sensitivity& b) {
  if (a.values().size() != b.values().size()) return false;
  for (size_t sample = 0; sample < a.values().size(); ++sample) {
    if (a.values()[sample].size() != b.values()[sample].size()) return false;
    for (size_t output = 0; output < a.values()[sample].size(); ++output) {
      for (size_t metric = 0; metric < kAllMetrics.size(); ++metric) {
        if (std::bit_cast<uint64_t>(a.values()[sample][output][metric]) !=
            std::bit_cast<uint64_t>(b.values()[sample][output][metric])) {
          return false;
        }
      }
    }
  }
  return true;
}

void check_same(const Subject& subject, const Results& a, const Results& b, std::string_view way) {
  for (size_t i = 0; i < a.size(); ++i) {
    if (same_bits(a[i], b[i])) continue;
    throw_error(ErrorCode::kInvalidModel, "node '{}' is not what {} gives", subject.units()[i].name, way);
  }
}

// The share of the float model's time that lies at and behind each unit, one thread. A fused operator counts for all of
// its nodes: it runs anew for each of them.
std::vector<double> shares(Subject& subject) {
  Graph graph = subject.graph();
  lower(graph);
  const Executor executor(graph, {.threads = 1, .profile = true});
  const std::vector<Tensor> inputs = subject.model().samples().inputs(0);
  std::vector<double> least, sums;  // of each step: the seconds of its shortest run, and of all
  for (int i = 0; i < kProfileRuns; ++i) {
    executor.run(inputs);
    const std::vector<NodeProfile> profile = executor.profile();
    least.resize(profile.size(), std::numeric_limits<double>::infinity());
    sums.resize(profile.size(), 0.0);
    for (size_t step = 0; step < profile.size(); ++step) {
      least[step] = std::min(least[step], profile[step].seconds - sums[step]);
      sums[step] = profile[step].seconds;
    }
  }
  const Graph fused = fuse_for_execution(graph, std::vector<bool>(static_cast<size_t>(graph.num_values()), false));
  const std::vector<NodeId> steps = fused.topological_order(), order = graph.topological_order();
  const double total = std::accumulate(least.begin(), least.end(), 0.0);
  std::vector<double> result;
  for (size_t unit = 0; unit < subject.units().size(); ++unit) {
    std::vector<bool> behind(static_cast<size_t>(graph.num_values()), false);
    for (const NodeId id : order) {
      const Node& node = graph.node(id);
      const auto is_behind = [&](ValueId value) { return value != kNone && behind[static_cast<size_t>(value)]; };
      if (node.name != subject.units()[unit].name && std::ranges::none_of(node.inputs, is_behind)) continue;
      for (const ValueId value : node.outputs) {
        if (value != kNone) behind[static_cast<size_t>(value)] = true;
      }
    }
    double seconds = 0;
    for (size_t i = 0; i < steps.size(); ++i) {
      const std::vector<ValueId>& outputs = fused.node(steps[i]).outputs;
      const bool runs = std::ranges::any_of(
          outputs, [&](ValueId value) { return value != kNone && behind[static_cast<size_t>(value)]; });
      if (runs) seconds += least[i];
    }
    result.push_back(seconds / total);
  }
  return result;
}

// Mean milliseconds of CPU time per unit that the steps of making and running a whole variant take, in one thread, and
// those of running one on the values of the base; of up to 100 units at equal distances.
nlohmann::ordered_json parts(Subject& subject) {
  VariantRuns keeping({.threads = 1}), forgetting({.threads = 1, .memory_cap = 0});
  SearchSamples& samples = subject.model().samples();
  const std::vector<Tensor> inputs = samples.inputs(0);
  for (VariantRuns* runs : {&keeping, &forgetting}) {
    Graph base = subject.graph();
    lower(base);
    const std::shared_ptr<VariantRuns::Variant> kept = runs->prepare(std::move(base));
    runs->set_base(kept);
    runs->run(*kept, 0, inputs);
  }
  const size_t all = subject.units().size(), count = std::min<size_t>(all, 100);
  double copying = 0, applying = 0, lowering = 0, preparing = 0, running = 0, comparing = 0, running_rest = 0;
  for (size_t i = 0; i < count; ++i) {
    Graph graph;
    std::shared_ptr<VariantRuns::Variant> variant;
    std::vector<Tensor> outputs;
    copying += cpu_seconds_of([&] { graph = subject.graph(); });
    applying += cpu_seconds_of(
        [&] { apply_quantization(graph, subject.operands(i * all / count), subject.model().weights()); });
    lowering += cpu_seconds_of([&] { lower(graph); });
    const std::shared_ptr<VariantRuns::Variant> rest = keeping.prepare(graph);
    preparing += cpu_seconds_of([&] { variant = forgetting.prepare(std::move(graph)); });
    running += cpu_seconds_of([&] { outputs = forgetting.run(*variant, 0, inputs); });
    comparing += cpu_seconds_of([&] { samples.errors(0, outputs); });
    running_rest += cpu_seconds_of([&] { keeping.run(*rest, 0, inputs); });
  }
  const double scale = 1e3 / static_cast<double>(count);
  return {{"copy", scale * copying},           {"apply", scale * applying}, {"lower", scale * lowering},
          {"prepare", scale * preparing},      {"run", scale * running},    {"compare", scale * comparing},
          {"run_behind", scale * running_rest}};
}

nlohmann::ordered_json compare(Subject& subject, int rounds) {
  std::map<std::string_view, std::vector<double>> wall, cpu;
  std::vector<double> wall_ratios, cpu_ratios;
  std::map<std::string_view, Results> results;
  for (int round = 0; round < rounds; ++round) {
    for (const Way& way : kWays) {
      if (round > 0 && way.name == "scratch") continue;
      Results& result = results[way.name];
      const Seconds seconds = both_seconds_of([&] { result = (subject.*way.run)(); });
      check_same(subject, results["exact"], result, way.name);
      wall[way.name].push_back(seconds.wall);
      cpu[way.name].push_back(seconds.cpu);
    }
    const Seconds estimated = both_seconds_of([&] { subject.estimate(); });
    wall["estimate"].push_back(estimated.wall);
    cpu["estimate"].push_back(estimated.cpu);
    wall_ratios.push_back(wall["whole"].back() / wall["exact"].back());
    cpu_ratios.push_back(cpu["whole"].back() / cpu["exact"].back());
  }
  const std::vector<double> of_units = shares(subject);
  const double behind = std::accumulate(of_units.begin(), of_units.end(), 0.0);
  const double ceiling = static_cast<double>(of_units.size()) / behind;
  nlohmann::ordered_json row = {{"operators", subject.graph().num_nodes()}, {"units", subject.units().size()}};
  for (const Way& way : kWays) row[fmt::format("{}_s", way.name)] = median(wall[way.name]);
  row["ratio"] = median(wall_ratios);
  row["cpu_ratio"] = median(cpu_ratios);
  row["scratch_cpu_ratio"] = cpu["scratch"][0] / cpu["exact"][0];
  row["estimate_cpu_ratio"] = median(cpu["whole"]) / median(cpu["estimate"]);
  row["estimate_share"] = share_of_worst(subject, results["exact"]);
  row["ceiling"] = ceiling;
  row["reached"] = median(cpu_ratios) / ceiling;
  for (const Way& way : kWays) {
    row[fmt::format("{}_cpu_ms", way.name)] = 1e3 * median(cpu[way.name]) / static_cast<double>(subject.units().size());
  }
  row["parts_cpu_ms"] = parts(subject);
  return row;
}

double status_mib(std::string_view field) {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with(field)) return std::strtod(line.c_str() + field.size() + 1, nullptr) / 1024;
  }
  return 0;
}

// The peak begins anew.
nlohmann::ordered_json once(Subject& subject, const Way& way) {
  std::ofstream("/proc/self/clear_refs") << 5;
  const double before = status_mib("VmRSS");
  const Seconds seconds = both_seconds_of([&] { (subject.*way.run)(); });
  return {{"operators", subject.graph().num_nodes()},
          {"units", subject.units().size()},
          {"seconds", seconds.wall},
          {"cpu_seconds", seconds.cpu},
          {"mib", status_mib("VmHWM") - before}};
}

int run(std::string_view command, const std::filesystem::path& model, const std::filesystem::path& data, int threads,
        int rounds) {
  const Way* way = std::ranges::find(kWays, command, &Way::name);
  if (command == kEstimate.name) way = &kEstimate;
  if (command != "compare" && way == std::end(kWays)) return 2;
  Subject subject(model, data, threads);
  fmt::print("{}\n", (command == "compare" ? compare(subject, rounds) : once(subject, *way)).dump());
  return 0;
}

}  // namespace
}  // namespace twofold

int main(int argc, char** argv) {
  const auto number = [&](int i, int otherwise) { return argc > i ? std::atoi(argv[i]) : otherwise; };
  int status = 2;
  try {
    if (argc > 3) status = twofold::run(argv[1], argv[2], argv[3], number(4, 2), std::max(number(5, 5), 1));
  } catch (const twofold::Error& error) {
    fmt::print(stderr, "error: {}\n", error.what());
    return 1;
  }
  if (status == 2) {
    fmt::print(stderr,
               "usage: sensitivity_bench compare|exact|whole|scratch|estimate MODEL.onnx DATA [THREADS [ROUNDS]]\n");
  }
  return status;
}
