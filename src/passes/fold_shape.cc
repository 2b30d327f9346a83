#include "passes/fold_shape.h"

#include <algorithm>

#include "infer/infer_types.h"

namespace twofold {

namespace {

Tensor to_tensor(const InferredType& type) {
  if (type.dtype == DType::kInt64) return Tensor::from<int64_t>(*type.shape, *type.elements);
  const std::vector<int32_t> narrow(type.elements->begin(), type.elements->end());
  return Tensor::from<int32_t>(*type.shape, narrow);
}

bool is_known(const InferredType& type) {
  if (!type.elements || !type.is_static() || num_elements(*type.shape) != static_cast<int64_t>(type.elements->size())) {
    return false;
  }
  const auto fits = [&type](int64_t element) {
    return element != kUnknownDim && (type.dtype == DType::kInt64 || static_cast<int32_t>(element) == element);
  };
  return (type.dtype == DType::kInt64 || type.dtype == DType::kInt32) &&
         std::all_of(type.elements->begin(), type.elements->end(), fits);
}

}  // namespace

int fold_shape(Graph& graph) {
  int folded = 0;
  const std::vector<InferredType> types = infer_types(graph);
  for (NodeId id : graph.topological_order()) {
    const std::vector<ValueId> outputs = graph.node(id).outputs;
    if (outputs.size() != 1 || outputs[0] == kNone || !is_known(types[static_cast<size_t>(outputs[0])])) continue;
    graph.remove_node(id);
    graph.set_constant(outputs[0], to_tensor(types[static_cast<size_t>(outputs[0])]));
    ++folded;
  }
  return folded;
}

}  // namespace twofold
