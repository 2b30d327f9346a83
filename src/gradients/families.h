// The rules of all operators, one line per file that defines some. Operators that are in none of them have no rule:
// control flow, recurrent networks, sampling of regions, quantization.
#ifndef TWOFOLD_SRC_GRADIENTS_FAMILIES_H_
#define TWOFOLD_SRC_GRADIENTS_FAMILIES_H_

#include <span>

#include "gradients/rule.h"

namespace twofold {

std::span<const RuleDef> activation_gradients();     // Relu, LeakyRelu, Clip, Gelu, HardSwish, ...
std::span<const RuleDef> function_gradients();       // Exp, Log, Sqrt, Sin, Acos, Abs, Cast, ...
std::span<const RuleDef> elementwise_gradients();    // Add, Sub, Mul, Div, Mod, Pow, PRelu, Max, Min, Sum, Mean, Where
std::span<const RuleDef> softmax_gradients();        // Softmax, LogSoftmax
std::span<const RuleDef> normalization_gradients();  // LayerNormalization, RMSNormalization, GroupNormalization, ...
std::span<const RuleDef> channel_gradients();        // BatchNormalization, LRN
std::span<const RuleDef> reduction_gradients();      // ReduceSum, ReduceMean, ..., ReduceLogSumExp, CumSum
std::span<const RuleDef> conv_gradients();           // Conv, ConvTranspose
std::span<const RuleDef> matmul_gradients();         // MatMul, Gemm
std::span<const RuleDef> einsum_gradients();         // Einsum
std::span<const RuleDef> pool_gradients();           // MaxPool, AveragePool, LpPool, GlobalAveragePool, ..., MaxUnpool
std::span<const RuleDef> resize_gradients();         // Resize
std::span<const RuleDef> grid_sample_gradients();    // GridSample, AffineGrid
std::span<const RuleDef> movement_gradients();  // Reshape, Transpose, Concat, Split, Expand, Tile, DepthToSpace, ...
std::span<const RuleDef> slice_gradients();     // Slice, Pad
std::span<const RuleDef> indexed_moves_gradients();  // Gather, GatherElements, GatherND, TopK, Compress, ...
std::span<const RuleDef> scatter_gradients();        // ScatterElements, ScatterND
std::span<const RuleDef> constant_gradients();       // Floor, Sign, Shape, ArgMax, comparisons: no gradient

}  // namespace twofold

#endif  // TWOFOLD_SRC_GRADIENTS_FAMILIES_H_
