#include "engine/lower_recurrent.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <utility>

#include "base/cancellation.h"
#include "dialect/product_node.h"
#include "dialect/recurrence_node.h"
#include "engine/quantized_edge.h"
#include "loops/strided_copy.h"
#include "numeric/integer_limits.h"
#include "traits/recurrent.h"

namespace twofold {

namespace {

// What keeps the products of a node from running on integers; empty where nothing does.
std::string obstacle(const Graph& graph, const Node& node) {
  for (const int i : {0, 1}) {
    const auto edge = dequantized_edge(graph, node.input(i));
    if (!edge) return fmt::format("input {} is not quantized with constant scales and one zero point", i);
    if (!is_operand_type(edge->dtype)) return fmt::format("input {} is {}", i, to_string(edge->dtype));
    if (i == 0) {
      if (edge->scale.size() != 1) return "input 0 has a scale per channel";
      continue;
    }
    const Tensor* w = graph.constant(edge->integers);
    if (w == nullptr || w->rank() != 3) return "input 1 is not a constant of 3 dimensions";
    const int axis = edge->axis < 0 ? edge->axis + 3 : edge->axis;
    if (edge->scale.size() != 1 && (axis != 1 || static_cast<int64_t>(edge->scale.size()) != w->dim(1))) {
      return fmt::format("the {} scales of input 1 are not one per row of the gates", edge->scale.size());
    }
  }
  return "";
}

// [directions, gates, input] as [input, directions·gates].
Tensor as_matrix(const Tensor& w) {
  const int64_t rows = w.dim(0) * w.dim(1), columns = w.dim(2);
  Tensor result(w.dtype(), {columns, rows});
  strided_copy(byte_size(w.dtype()), {{columns, 1, rows}, {rows, columns, 1}}, w.bytes(), result.mutable_bytes());
  return result;
}

void replace(Graph& graph, NodeId id) {
  Node steps = graph.node(id);
  const QuantizedEdge x = *dequantized_edge(graph, steps.input(0)), w = *dequantized_edge(graph, steps.input(1));
  const Tensor weight = *graph.constant(w.integers);
  const std::string name = steps.name + "_input";
  Node matmul{.name = graph.unique_node_name(name), .origins = steps.origins};
  ProductNode product;
  product.op_type = kIntegerMatMul;
  product.a = x.integers;
  product.b = graph.add_constant(graph.unique_value_name(name + "_weight"), as_matrix(weight));
  product.a_dtype = x.dtype;
  product.a_scale = x.scale[0];
  product.a_zero_point = x.zero_point;
  product.b_zero_point = w.zero_point;
  product.b_scale = w.scale;
  if (w.scale.size() > 1) {  // one per column: both directions have the scales of the gates
    for (int64_t d = 1; d < weight.dim(0); ++d) {
      product.b_scale.insert(product.b_scale.end(), w.scale.begin(), w.scale.end());
    }
  }
  product.outputs = {StoredForm{}};
  const ValueId products = graph.add_value(graph.unique_value_name(name), {DType::kFloat32, std::nullopt});
  matmul.outputs = {products};
  product.write(matmul);
  RecurrenceNode{products}.write(steps);
  graph.remove_node(id);
  graph.add_node(std::move(matmul));
  graph.add_node(std::move(steps));
}

}  // namespace

int lower_recurrent(Graph& graph, FloatReasons& reasons) {
  int count = 0;
  for (NodeId id : graph.topological_order()) {
    if (!is_recurrent(graph.node(id))) continue;
    throw_if_cancelled();
    const std::string why = obstacle(graph, graph.node(id));
    if (!why.empty()) {
      reasons.emplace(graph.node(id).name, why);
      continue;
    }
    replace(graph, id);
    ++count;
  }
  return count;
}

}  // namespace twofold
