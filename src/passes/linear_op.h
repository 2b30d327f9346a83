// The operators that multiply by a constant weight and add a bias (Conv, ConvTranspose, Gemm, MatMul), and folding of
// what follows or precedes them into weight and bias.
#ifndef TWOFOLD_SRC_PASSES_LINEAR_OP_H_
#define TWOFOLD_SRC_PASSES_LINEAR_OP_H_

#include <optional>
#include <vector>

#include "passes/pattern.h"

namespace twofold {

// y = scale * x + shift, one pair per channel, or one for all.
struct ChannelAffine {
  std::vector<double> scale, shift;

  bool has_shift() const;
};

// A Conv, ConvTranspose, Gemm or MatMul whose weight (input 1) is a float32 constant with one slice per output channel:
//   Conv           W [M, C/group, spatial...]   channel on axis 0
//   ConvTranspose  W [C, M/group, spatial...]   channel on axis 1, group by group
//   Gemm           B [K, N], or [N, K] with transB; transA must be 0
//   MatMul         B [K, N]
struct LinearOp {
  NodeId node = kNone;
  int64_t channels = 0;  // of the output
  int channel_axis = 0;  // of the output: 1, or -1 (the last) for MatMul
  int rank = -1;         // of the output; -1 unknown
};

// The linear operator at `id`; nullopt where it is none, or where its weight or bias is not a float32 constant of a
// shape that fits.
std::optional<LinearOp> match_linear_op(const Graph& graph, const Pattern& pattern, NodeId id);

// True if the weight is as above for this node; for every other node too, false.
bool is_linear_weight(const Node& node, const Tensor& weight);

// Per element of the weight, its output channel. REQUIRES: is_linear_weight(node, weight).
std::vector<int64_t> output_channels(const Node& node, const Tensor& weight);

// Folds y = affine(op(x, W) + b) into W and b, in double: W' = scale W, b' = scale b + shift. The operator's node then
// computes what `follower` computed, which is removed. False, and nothing changes, where the operator's output has
// another use, where a result is not finite, where the weight would underflow, or where a MatMul would need a bias.
bool fold_following(Graph& graph, const LinearOp& op, NodeId follower, const ChannelAffine& affine);

// Folds op(scale * x + shift, W) + b into W and b, in double: W' = scale W, b' = b + shift sum(W) per output channel.
// The caller takes the operation before the operator away. False, and nothing changes, where a result is not finite or
// the weight would underflow.
// REQUIRES: shift is 0, or the operator takes a bias and sums all of a channel's weights for every output.
bool fold_preceding(Graph& graph, const LinearOp& op, double scale, double shift);

// A linear operator, and the constant that an element-wise node joins its output with, as one number per channel.
struct ChannelOperand {
  LinearOp op;
  std::vector<double> operand;
};

// Matches op(x, W) * c at the element-wise node `id`, and c * op(x, W) where it commutes; nullopt where c does not
// broadcast to one number per channel, or could change the shape of the result.
std::optional<ChannelOperand> match_channel_operand(const Graph& graph, const Pattern& pattern, NodeId id,
                                                    bool commutes);

}  // namespace twofold

#endif  // TWOFOLD_SRC_PASSES_LINEAR_OP_H_
