#include "calibrate/first_nan.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "engine/executor.h"

namespace twofold {

namespace {

bool has_nan(const Tensor& tensor) {
  return tensor.dtype() == DType::kFloat32 &&
         std::ranges::any_of(tensor.data<float>(), [](float v) { return std::isnan(v); });
}

}  // namespace

std::string first_nan(const Graph& graph, const std::vector<Tensor>& inputs) {
  ExecutorOptions options{.threads = 1};
  for (ValueId id = 0; id < graph.num_values(); ++id) options.watched.push_back(id);
  std::set<ValueId> found;
  const Executor executor(graph, options);
  executor.run(inputs, [&](ValueId id, const Tensor& tensor) {
    if (has_nan(tensor)) found.insert(id);
  });
  const auto words = [&](const Node& node, const char* does, ValueId value) {
    return fmt::format("node '{}' ({}) is the first that {} NaN: '{}'", node.name, node.op_type, does,
                       graph.value(value).name);
  };
  for (const NodeId id : graph.topological_order()) {
    const Node& node = graph.node(id);
    for (const ValueId input : node.inputs) {
      if (input != kNone && graph.constant(input) != nullptr && found.contains(input)) {
        return words(node, "reads", input);
      }
    }
    for (const ValueId output : node.outputs) {
      if (found.contains(output)) return words(node, "computes", output);
    }
  }
  return "";
}

}  // namespace twofold
