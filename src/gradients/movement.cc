// Operators that give every number of their inputs, at another place or several times.
#include "gradients/families.h"
#include "gradients/scatter_back.h"
#include "ops/arguments.h"
#include "traits/op_names.h"

namespace twofold {

namespace {

void reshape_back(RuleCall& call) { call.add(0, reshape(call.dy(), call.x_shape())); }

void identity(RuleCall& call) { call.add(0, call.dy()); }

void dropout(RuleCall& call) {
  const Tensor* training = call.backward().forward().constant(call.node().input(2));
  const bool off = !call.has_input(2) || (training != nullptr && training->data<uint8_t>()[0] == 0);
  if (!off) return call.lacks(0, "no rule for training mode");
  call.add(0, call.dy());
}

void transpose_back(RuleCall& call) {
  const auto rank = static_cast<size_t>(call.rank());
  std::vector<int64_t> reversed(rank), inverse(rank);
  for (size_t d = 0; d < rank; ++d) reversed[d] = static_cast<int64_t>(rank - 1 - d);
  const std::vector<int64_t> order = normalize_axes(call.attributes().get_ints("perm", reversed), call.rank());
  for (size_t d = 0; d < order.size(); ++d) inverse[static_cast<size_t>(order[d])] = static_cast<int64_t>(d);
  call.add(0, transpose(call.dy(), inverse));
}

void concat(RuleCall& call) {
  const int64_t axis = call.axis("axis", 0);
  BackwardGraph& backward = call.backward();
  int64_t begin = 0;
  for (int i = 0; i < call.num_inputs(); ++i) {
    const int64_t end = begin + call.x_shape(i)[static_cast<size_t>(axis)];
    if (call.wants(i)) {
      call.add(i, backward.node(op::kSlice,
                                {call.dy(), backward.ints({begin}), backward.ints({end}), backward.ints({axis})}));
    }
    begin = end;
  }
}

void split(RuleCall& call) {
  std::vector<Term> parts;
  for (size_t i = 0; i < call.node().outputs.size(); ++i) parts.push_back(call.dy(static_cast<int>(i)));
  call.add(0, call.backward().node(op::kConcat, parts, {{"axis", call.axis("axis", 0)}}));
}

void expand_back(RuleCall& call) { call.add_broadcast(0, call.dy()); }

// [times,size] along each axis, summed over the first.
void tile(RuleCall& call) {
  const Shape& x = call.x_shape();
  if (num_elements(x) == 0) return call.add(0, call.backward().zeros(x));
  Shape split;
  std::vector<int64_t> axes;
  for (size_t d = 0; d < x.size(); ++d) {
    axes.push_back(static_cast<int64_t>(split.size()));
    split.push_back(call.y_shape()[d] / x[d]);
    split.push_back(x[d]);
  }
  call.add(0, reshape(reduce_sum(reshape(call.dy(), split), axes), x));
}

Term space_to_depth(RuleCall& call, int64_t block) {
  return call.backward().node(op::kSpaceToDepth, {call.dy()}, {{"blocksize", block}});
}

// [N, C * b * b, H, W] -> [N, C, H * b, W * b]; with DCR b * b stands before C.
void depth_to_space(RuleCall& call) {
  const int64_t block = call.attributes().get_int("blocksize");
  if (call.attributes().get_string("mode", "DCR") == "DCR") return call.add(0, space_to_depth(call, block));
  const Shape& x = call.x_shape();
  const Term blocks = reshape(call.dy(), {x[0], x[1] / (block * block), x[2], block, x[3], block});
  call.add(0, reshape(transpose(blocks, {0, 1, 3, 5, 2, 4}), x));
}

void space_to_depth_back(RuleCall& call) {
  call.add(0, call.backward().node(op::kDepthToSpace, {call.dy()}, call.attributes()));
}

// Two in a row change nothing.
void reverse_sequence(RuleCall& call) {
  call.add(0, call.backward().node(op::kReverseSequence, {call.dy(), call.x(1)}, call.attributes()));
}

void trilu(RuleCall& call) {
  call.add(0, call.backward().node(op::kTrilu, call.inputs_after(call.dy()), call.attributes()));
}

constexpr RuleDef kRules[] = {
    {op::kConcat, concat},
    {op::kDepthToSpace, depth_to_space},
    {op::kDropout, dropout},
    {op::kExpand, expand_back},
    {op::kFlatten, reshape_back},
    {op::kIdentity, identity},
    {op::kReshape, reshape_back},
    {op::kReverseSequence, reverse_sequence},
    {op::kSpaceToDepth, space_to_depth_back},
    {op::kSplit, split},
    {op::kSqueeze, reshape_back},
    {op::kTile, tile},
    {op::kTranspose, transpose_back},
    {op::kTrilu, trilu},
    {op::kUnsqueeze, reshape_back},
};

}  // namespace

std::span<const RuleDef> movement_gradients() { return kRules; }

}  // namespace twofold
