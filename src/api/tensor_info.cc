#include "api/tensor_info.h"

namespace twofold {

namespace {

TensorInfo describe(const std::string& name, const TensorType& type) {
  TensorInfo info{name, type.dtype, {}, type.shape.has_value()};
  if (type.shape) {
    for (const Dim& dim : *type.shape) info.shape.push_back(dim.value);
  }
  return info;
}

}  // namespace

std::vector<TensorInfo> input_infos(const Graph& graph) {
  std::vector<TensorInfo> infos;
  for (ValueId id : graph.inputs) infos.push_back(describe(graph.value(id).name, graph.value(id).type));
  return infos;
}

std::vector<TensorInfo> output_infos(const Graph& graph) {
  std::vector<TensorInfo> infos;
  for (const GraphOutput& output : graph.outputs)
    infos.push_back(describe(output.name, graph.value(output.value).type));
  return infos;
}

}  // namespace twofold
