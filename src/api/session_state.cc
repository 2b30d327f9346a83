#include "api/session_state.h"

#include "api/tensor_info.h"
#include "base/error.h"
#include "base/nearest_names.h"
#include "base/parallel_for.h"
#include "dialect/registry.h"
#include "engine/held_tensors.h"
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
    if (id == kNone && quantized_constant(graph, name) == kNone) {
      throw_error(ErrorCode::kInvalidArgument, "the model has no tensor '{}' to watch; the nearest names are: {}", name,
                  quoted_list(nearest_names(name, known, 3)));
    }
  }
}

Graph simplified(Graph graph, const std::vector<std::string>& known, const SessionOptions& options) {
  const ThreadScope threads(options.threads);  // passes compute constants
  check_operators(graph);
  check_watched(graph, known, options.watched);
  run_passes(graph);
  return graph;
}

}  // namespace

Session::State::State(Graph graph, const SessionOptions& options)
    : inputs(input_infos(graph)),
      outputs(output_infos(graph)),
      known(names_of_variables(graph)),
      model(simplified(std::move(graph), known, options),
            {.threads = options.threads, .watched = options.watched, .ec_in_two_passes = options.ec_in_two_passes}) {}

}  // namespace twofold
