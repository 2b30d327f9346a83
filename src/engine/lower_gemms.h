#ifndef TWOFOLD_SRC_ENGINE_LOWER_GEMMS_H_
#define TWOFOLD_SRC_ENGINE_LOWER_GEMMS_H_

#include <map>
#include <string>

#include "engine/float_chain.h"
#include "graph/graph.h"

namespace twofold {

// Why a product stayed a float operator, by node name.
using FloatReasons = std::map<std::string, std::string>;

// Conv, ConvTranspose, MatMul and Gemm on two DequantizeLinear, with the QuantizeLinear, Relu and Clip behind them:
//
//   a ─ DQ ─┐               ┌─ Q ─ y1                a ─┐           ┌─ y1
//          op ─ [Relu|Clip] ┤                  =>      IntegerOp ───┤
//   b ─ DQ ─┘               └─ Q ─ y2                b ─┘           └─ y2
//
// One output per QuantizeLinear (an edge may be needed at two precisions), and a float32 one where something else reads
// the result, or it is watched. Other element-wise operators behind it become a float program of the node
// (dialect/float_program.h). Refuses, leaving the float operator and a reason, where scales are not constants, per
// channel along another axis than the output channels, where Gemm scales its operands, or the bias is no constant of at
// most 2^52 steps. Returns how many were lowered.
int lower_gemms(Graph& graph, const ChainFinder& chains, FloatReasons& reasons);

}  // namespace twofold

#endif  // TWOFOLD_SRC_ENGINE_LOWER_GEMMS_H_
