#include "api/session_state.h"

#include <set>

#include "api/tensor_info.h"
#include "base/error.h"
#include "base/nearest_names.h"
#include "base/parallel_for.h"
#include "dialect/registry.h"
#include "engine/lower.h"
#include "passes/pipeline.h"

namespace twofold {

namespace {

std::vector<std::string> names_of_variables(const Graph& graph) {
  std::vector<std::string> names;
  for (ValueId id = 0; id < graph.num_values(); ++id) {
    if (graph.producer(id) != kNone || graph.is_input(id)) names.push_back(graph.value(id).name);
  }
  return names;
}

void check_watched(const Graph& graph, const std::vector<std::string>& known, const std::vector<std::string>& watched) {
  for (const std::string& name : watched) {
    const ValueId id = graph.find_value(name);
    if (id != kNone && graph.constant(id) != nullptr) {
      throw_error(ErrorCode::kInvalidArgument, "tensor '{}' cannot be watched: it is a constant of the model", name);
    }
    if (id == kNone) {
      throw_error(ErrorCode::kInvalidArgument, "the model has no tensor '{}' to watch; the nearest names are: {}", name,
                  quoted_list(nearest_names(name, known, 3)));
    }
  }
}

}  // namespace

Session::State::State(Graph graph, const SessionOptions& options)
    : inputs(input_infos(graph)), outputs(output_infos(graph)), known(names_of_variables(graph)) {
  // Passes and lowering compute constants and tables.
  const ThreadScope threads(options.threads);
  check_operators(graph);
  check_watched(graph, known, options.watched);
  run_passes(graph);
  const TensorReaders readers(graph, options.watched);
  lower(graph,
        {.watched = {options.watched.begin(), options.watched.end()}, .ec_in_two_passes = options.ec_in_two_passes});
  watched = readers.in(graph);
  ExecutorOptions running{.threads = options.threads};
  for (const auto& [name, tensor] : watched) {
    if (tensor.real != kNone) running.watched.push_back(tensor.real);
    for (const QuantizedEdge& edge : tensor.integers) running.watched.push_back(edge.integers);
  }
  for (ValueId id : graph.inputs) watched.emplace(graph.value(id).name, WatchedTensor{id, {}});
  executor = std::make_unique<Executor>(graph, std::move(running));
}

}  // namespace twofold
