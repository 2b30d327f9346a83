// The families of operators, one line per file of src/ops that defines some.
#ifndef TWOFOLD_SRC_OPS_FAMILIES_H_
#define TWOFOLD_SRC_OPS_FAMILIES_H_

#include <span>

#include "ops/op.h"

namespace twofold {

std::span<const OpDef> quantize_linear_ops();  // QuantizeLinear, DequantizeLinear, DynamicQuantizeLinear
std::span<const OpDef> shape_ops();            // Shape, Size, Reshape, Squeeze, Unsqueeze, Flatten, Identity, Dropout
std::span<const OpDef> constant_ops();         // Constant, ConstantOfShape, Range, EyeLike
std::span<const OpDef> transpose_ops();        // Transpose
std::span<const OpDef> concat_ops();           // Concat
std::span<const OpDef> slice_ops();            // Slice, Split
std::span<const OpDef> expand_ops();           // Expand, Tile
std::span<const OpDef> pad_ops();              // Pad
std::span<const OpDef> gather_ops();           // Gather, GatherElements, GatherND
std::span<const OpDef> unary_ops();            // Relu, Sigmoid, Exp, Clip, ...: element-wise, one input
std::span<const OpDef> binary_ops();           // Add, Sub, Mul, Div, Mod, PRelu, Max, Min, Sum, Mean, BitShift
std::span<const OpDef> pow_ops();              // Pow
std::span<const OpDef> compare_ops();          // Equal, Less, ..., And, Or, Xor, BitwiseAnd, ..., Where
std::span<const OpDef> reduce_ops();           // ReduceSum, ReduceMean, ..., ReduceLogSumExp
std::span<const OpDef> scan_axis_ops();        // ArgMax, ArgMin, CumSum
std::span<const OpDef> softmax_ops();          // Softmax, LogSoftmax, Hardmax
std::span<const OpDef> normalization_ops();    // LayerNormalization, RMSNormalization, GroupNormalization, ...
std::span<const OpDef> channel_normalization_ops();  // BatchNormalization, LRN
std::span<const OpDef> cast_ops();                   // Cast, CastLike
std::span<const OpDef> conv_ops();                   // Conv
std::span<const OpDef> conv_transpose_ops();         // ConvTranspose
std::span<const OpDef> matmul_ops();                 // MatMul
std::span<const OpDef> conv_integer_ops();           // ConvInteger
std::span<const OpDef> matmul_integer_ops();         // MatMulInteger
std::span<const OpDef> gemm_ops();                   // Gemm
std::span<const OpDef> pool_ops();                   // MaxPool, AveragePool, LpPool
std::span<const OpDef> global_pool_ops();            // GlobalAveragePool, GlobalMaxPool, GlobalLpPool
std::span<const OpDef> max_unpool_ops();             // MaxUnpool
std::span<const OpDef> resize_ops();                 // Resize
std::span<const OpDef> scatter_ops();                // ScatterElements, ScatterND
std::span<const OpDef> depth_to_space_ops();         // DepthToSpace, SpaceToDepth
std::span<const OpDef> topk_ops();                   // TopK
std::span<const OpDef> select_ops();                 // OneHot, NonZero, Compress, Trilu, ReverseSequence
std::span<const OpDef> unique_ops();                 // Unique
std::span<const OpDef> control_flow_ops();           // If, Loop, Scan
std::span<const OpDef> non_max_suppression_ops();    // NonMaxSuppression
std::span<const OpDef> einsum_ops();                 // Einsum
std::span<const OpDef> rnn_ops();                    // RNN, GRU, LSTM
std::span<const OpDef> grid_sample_ops();            // GridSample, AffineGrid
std::span<const OpDef> roi_align_ops();              // RoiAlign

}  // namespace twofold

#endif  // TWOFOLD_SRC_OPS_FAMILIES_H_
