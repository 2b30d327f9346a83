#include "twofold/bench.h"

#include <algorithm>
#include <chrono>
#include <functional>
#include <map>
#include <optional>

#include "api/open_samples.h"
#include "base/cancellation.h"
#include "base/error.h"
#include "base/parallel_for.h"
#include "data/prepare_input.h"
#include "data/random_dataset.h"
#include "dialect/registry.h"
#include "engine/executor.h"
#include "engine/lower.h"
#include "engine/lowered_model.h"
#include "engine/lowered_node.h"
#include "onnx/import.h"
#include "passes/pipeline.h"

namespace twofold {

namespace {

double seconds_of(const std::function<void()>& body) {
  const auto start = std::chrono::steady_clock::now();
  body();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

std::vector<Tensor> random_inputs(const Graph& graph) {
  std::vector<Tensor> inputs;
  for (const InputSpec& input : input_specs(graph)) {
    const auto is_open = [](const Dim& dim) { return dim.value < 0; };
    if (!input.type.shape || std::ranges::any_of(*input.type.shape, is_open)) {
      throw_error(ErrorCode::kInvalidArgument, "the shape of input '{}' is open, {}; give a sample with --data",
                  input.name, to_string(input.type));
    }
    inputs.push_back(random_input(input, {}, static_cast<uint32_t>(inputs.size())));
  }
  return inputs;
}

// Runs for about `seconds`, at least thrice; the seconds of each run, sorted.
std::vector<double> time_runs(const LoweredModel& model, const std::vector<Tensor>& inputs, double seconds) {
  std::vector<double> times;
  double spent = 0;
  while (times.size() < 3 || spent < seconds) {
    times.push_back(seconds_of([&] { model.run(inputs); }));
    spent += times.back();
  }
  std::ranges::sort(times);
  return times;
}

std::vector<NodeTime> node_times(const Graph& graph, const std::vector<Tensor>& inputs, LoweredModelOptions options,
                                 double seconds) {
  options.profile = true;
  const LoweredModel model(graph, options);
  std::map<std::string, LoweredNode> lowered;
  for (const LoweredNode& node : describe_lowered(model.graph(), model.reasons())) {
    lowered[model.graph().node(node.node).name] = node;
  }
  model.run(inputs);
  const std::vector<NodeProfile> first = model.executor().profile();
  const auto runs = static_cast<double>(time_runs(model, inputs, seconds).size());
  const std::vector<NodeProfile> last = model.executor().profile();
  std::vector<NodeTime> times;
  for (size_t i = 0; i < last.size(); ++i) {
    const LoweredNode& node = lowered[last[i].name];
    times.push_back({last[i].name, last[i].op_type, std::string(to_string(node.kind)), node.ec_passes,
                     (last[i].seconds - first[i].seconds) / runs});
  }
  std::ranges::stable_sort(times, std::ranges::greater(), &NodeTime::seconds);
  return times;
}

}  // namespace

BenchReport bench_model(const std::filesystem::path& model, const Samples& data, const BenchOptions& options) {
  const CancellationScope scope(options.cancelled);
  BenchReport report;
  report.model = model.string();
  const ThreadScope threads(options.threads);
  report.threads = num_threads();
  const LoweredModelOptions running{.threads = options.threads, .ec_in_two_passes = options.ec_in_two_passes};
  Graph graph;
  std::optional<LoweredModel> lowered;
  report.load_seconds = seconds_of([&] {
    graph = import_onnx(model);
    check_operators(graph);
    run_passes(graph);
    lowered.emplace(graph, running);
  });
  const bool given = !data.path.empty() || data.source != nullptr;
  const std::vector<Tensor> inputs = given ? open_samples(data, input_specs(graph))->sample(0) : random_inputs(graph);
  report.first_seconds = seconds_of([&] { lowered->run(inputs); });
  const MemoryUse memory = lowered->executor().memory();
  report.activation_bytes = static_cast<int64_t>(memory.peak_bytes);
  report.packed_bytes = static_cast<int64_t>(memory.packed_bytes);
  const std::vector<double> times = time_runs(*lowered, inputs, options.seconds);
  report.best_seconds = times.front();
  report.median_seconds = times[times.size() / 2];
  report.runs = static_cast<int64_t>(times.size());
  report.nodes = node_times(graph, inputs, running, options.seconds);
  return report;
}

}  // namespace twofold
