#include "engine/all_integers.h"

#include <limits>
#include <utility>

#include "dialect/elementwise.h"
#include "dialect/table_node.h"

namespace twofold {

namespace {

template <typename X>
Tensor all_integers_of(DType dtype) {
  Tensor x(dtype, {int64_t{1} << (8 * sizeof(X))});
  int32_t next = std::numeric_limits<X>::min();
  for (X& value : x.mutable_data<X>()) value = static_cast<X>(next++);
  return x;
}

}  // namespace

Tensor all_integers(DType dtype) {
  switch (dtype) {
    case DType::kInt8: return all_integers_of<int8_t>(dtype);
    case DType::kUInt8: return all_integers_of<uint8_t>(dtype);
    case DType::kInt16: return all_integers_of<int16_t>(dtype);
    default: return all_integers_of<uint16_t>(dtype);
  }
}

std::vector<Tensor> run_elementwise(const FloatProgram& program, const StoredForm& first,
                                    const std::vector<Tensor>& inputs) {
  std::vector<Tensor> outputs(program.outputs.size());
  Node node;
  for (size_t i = 0; i < outputs.size(); ++i) node.outputs.push_back(static_cast<ValueId>(i));
  std::vector<const Tensor*> arguments;
  for (const Tensor& input : inputs) arguments.push_back(&input);
  OpCall call(node, arguments, outputs, nullptr);
  run_elementwise(program, first, arguments, call);
  return outputs;
}

Node table_node(Graph& graph, const std::string& name, ValueId x, Tensor table, ValueId result, int64_t least_rank) {
  Node node{.name = name, .outputs = {result}};
  const ValueId constant = graph.add_constant(graph.unique_value_name(name + "_table"), std::move(table));
  TableNode{x, constant, least_rank}.write(node);
  return node;
}

}  // namespace twofold
