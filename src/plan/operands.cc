#include "plan/operands.h"

#include "infer/element_types.h"
#include "traits/gemm_type.h"
#include "traits/op_traits.h"
#include "traits/recurrent.h"

namespace twofold {

bool is_quantizable_op(std::string_view op_type) { return traits_of(op_type).data != DataInputs::kNone; }

bool is_weight(const Graph& graph, const Node& node, int input) {
  const bool takes_weights = is_gemm_type(node) || (is_recurrent(node) && input > 0);
  return takes_weights && graph.constant(node.input(input)) != nullptr;
}

std::vector<bool> float_values(const Graph& graph) {
  std::vector<bool> result;
  for (const DType type : infer_element_types(graph, Declarations::kAll)) result.push_back(type == DType::kFloat32);
  return result;
}

std::vector<int> float_data_inputs(const Node& node, const std::vector<bool>& is_float) {
  std::vector<int> indices = data_inputs(node);
  std::erase_if(indices, [&](int i) { return !is_float[static_cast<size_t>(node.input(i))]; });
  return indices;
}

}  // namespace twofold
