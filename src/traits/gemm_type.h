// The operators that are sums of products of two inputs: Conv, ConvTranspose, MatMul, Gemm.
#ifndef TWOFOLD_SRC_TRAITS_GEMM_TYPE_H_
#define TWOFOLD_SRC_TRAITS_GEMM_TYPE_H_

#include <string_view>

#include "graph/graph.h"

namespace twofold {

// The domain is not looked at.
bool is_gemm_type(std::string_view op_type);

// True for nodes of ONNX's own domain only.
bool is_gemm_type(const Node& node);

// True for those with a bias as input 2: all but MatMul.
bool takes_bias(const Node& node);

// Axis of input `input`, of rank `rank`, along which the output channels of the node run: of input 1 of Conv 0,
// ConvTranspose 1, Gemm 0 or 1 (transB), MatMul the last; of inputs 1 and 2 of LSTM, GRU and RNN 1, whose rows both
// directions share; -1 for a vector and for other nodes and inputs.
int output_channel_axis(const Node& node, int input, int rank);

}  // namespace twofold

#endif  // TWOFOLD_SRC_TRAITS_GEMM_TYPE_H_
