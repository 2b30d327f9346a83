// Which inputs of an operator are data that can be quantized. One place, for every layer above.
#ifndef TWOFOLD_SRC_PLAN_OPERANDS_H_
#define TWOFOLD_SRC_PLAN_OPERANDS_H_

#include <string_view>
#include <vector>

#include "graph/gemm_type.h"
#include "graph/graph.h"

namespace twofold {

// Indices of the inputs that carry the operator's data, among those that are there: Conv 0 and 1, Add 0 and 1,
// Concat all, Resize 0, GridSample 0. Bias, shapes, indices, pads and limits are not data. Empty for operators that
// have none, and for all that the table does not know.
std::vector<int> data_inputs(const Node& node);

// True if the table knows the operator: one that a config may name although the model does not have it.
bool is_quantizable_op(std::string_view op_type);

// True where `ec` works: input1 (the weight) of Conv and ConvTranspose, either input of MatMul and Gemm, input0 of
// GridSample and Resize.
bool takes_ec(std::string_view op_type, int input);

// True if data input `input` of the node is a weight: a constant of a Gemm-type operator.
bool is_weight(const Graph& graph, const Node& node, int input);

// Per ValueId, whether the value certainly holds floating-point numbers: as the model declares it, else inferred from
// operators. Values that cannot be told (of an If, say) count as not float, and so are never quantized.
std::vector<bool> float_values(const Graph& graph);

// The data inputs of a node that hold floating-point numbers, which is what can be quantized. `is_float` as
// float_values() gives it.
std::vector<int> float_data_inputs(const Node& node, const std::vector<bool>& is_float);

}  // namespace twofold

#endif  // TWOFOLD_SRC_PLAN_OPERANDS_H_
