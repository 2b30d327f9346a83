// The operands of a graph that can be quantized.
#ifndef TWOFOLD_SRC_PLAN_OPERANDS_H_
#define TWOFOLD_SRC_PLAN_OPERANDS_H_

#include <string_view>
#include <vector>

#include "graph/graph.h"

namespace twofold {

// True for operators with data inputs: one that a config may name although the model does not have it.
bool is_quantizable_op(std::string_view op_type);

// True if data input `input` of the node is a weight: a constant of a Gemm-type operator, W or R of an
// LSTM, GRU or RNN.
bool is_weight(const Graph& graph, const Node& node, int input);

// Per ValueId, whether the value certainly holds float32 numbers, which alone have integers: as the model declares it,
// else inferred from operators. Values that cannot be told (of an If, say) count as not float, and so are never
// quantized.
std::vector<bool> float_values(const Graph& graph);

// The data inputs of a node that hold float32 numbers, which is what can be quantized. `is_float` as
// float_values() gives it.
std::vector<int> float_data_inputs(const Node& node, const std::vector<bool>& is_float);

}  // namespace twofold

#endif  // TWOFOLD_SRC_PLAN_OPERANDS_H_
