#include "ops/independent_dims.h"

#include <algorithm>
#include <set>
#include <string_view>

#include "ops/arguments.h"
#include "ops/unary_step.h"

namespace twofold {

namespace {

using Types = std::set<std::string_view>;

const Types kAlongAxis = {"Softmax", "LogSoftmax", "Hardmax", "LayerNormalization", "RMSNormalization"};
const Types kPools = {"GlobalAveragePool", "GlobalMaxPool", "GlobalLpPool", "AveragePool", "LpPool", "MaxPool"};
const Types kReductions = {"ReduceSum", "ReduceMean",   "ReduceMax",       "ReduceMin",      "ReduceL1",
                           "ReduceL2",  "ReduceLogSum", "ReduceLogSumExp", "ReduceSumSquare"};
const Types kBinary = {"Add", "Sub", "Mul", "Div", "Max", "Min"};

// Those before the attribute `axis`, where scales and biases are constants and the same for all rows.
int dims_before_axis(const Graph& graph, const Node& node, int rank) {
  const auto axis = static_cast<int>(normalize_axis(node.attributes.get_int("axis", -1), rank));
  for (size_t i = 1; i < node.inputs.size(); ++i) {
    const Tensor* weight = graph.constant(node.inputs[i]);
    if (node.inputs[i] != kNone && (weight == nullptr || weight->rank() > rank - axis)) return 0;
  }
  return axis;
}

// Those before the first one reduced, where all keep their places.
int dims_before_reduced(const Graph& graph, const Node& node, int rank) {
  const Tensor* axes = graph.constant(node.input(1));
  if (axes == nullptr || axes->size() == 0 || node.attributes.get_int("keepdims", 1) == 0) return 0;
  const std::vector<int64_t> reduced = normalize_axes(read_ints(*axes, "axes"), rank);
  return static_cast<int>(*std::ranges::min_element(reduced));
}

// Those along which constants, aligned at the end, have no dimension.
int dims_before_constants(const Graph& graph, const Node& node, int rank) {
  int dims = rank;
  for (ValueId input : node.inputs) {
    const Tensor* constant = input == kNone ? nullptr : graph.constant(input);
    if (constant != nullptr) dims = std::min(dims, std::max(rank - constant->rank(), 0));
  }
  return dims;
}

}  // namespace

bool works_on_rows(const Node& node) {
  return node.domain.empty() &&
         (kAlongAxis.contains(node.op_type) || kPools.contains(node.op_type) || kReductions.contains(node.op_type));
}

int independent_dims(const Graph& graph, const Node& node, int rank) {
  if (!node.domain.empty() || rank == 0) return 0;
  if (kAlongAxis.contains(node.op_type)) return dims_before_axis(graph, node, rank);
  if (kPools.contains(node.op_type)) return std::min(rank, 2);
  if (kReductions.contains(node.op_type)) return dims_before_reduced(graph, node, rank);
  if (kBinary.contains(node.op_type) || unary_step(graph, node)) return dims_before_constants(graph, node, rank);
  const Tensor* scale =
      node.is("QuantizeLinear") || node.is("DequantizeLinear") ? graph.constant(node.input(1)) : nullptr;
  return scale != nullptr && scale->size() == 1 ? rank : 0;
}

}  // namespace twofold
