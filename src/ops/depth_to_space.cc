// DepthToSpace and SpaceToDepth: blocks of pixels to channels and back, in any layout.
#include "loops/strided_copy.h"
#include "ops/arguments.h"
#include "ops/families.h"

namespace twofold {

namespace {

int64_t block_size(const OpCall& call) {
  const int64_t block = call.attributes().get_int("blocksize");
  if (block < 1 || block > 1 << 15) throw_error(ErrorCode::kInvalidModel, "blocksize {} is not allowed", block);
  return block;
}

// How a block's position (row, column) and the remaining channel c make up the channel of the deep side.
struct ChannelOrder {
  int64_t row, column, rest;
};

// Copies between a deep tensor [N, C·b², H, W] and a wide one [N, C, H·b, W·b].
void copy_blocks(const Tensor& x, Tensor& y, bool to_space, int64_t block, const ChannelOrder& order) {
  const Tensor& deep = to_space ? x : y;
  const Tensor& wide = to_space ? y : x;
  const std::vector<int64_t> d = element_strides(deep.shape(), deep.layout());
  const std::vector<int64_t> w = element_strides(wide.shape(), wide.layout());
  std::vector<CopyDim> dims = {
      {deep.dim(0), d[0], w[0]},       {wide.dim(1), d[1] * order.rest, w[1]}, {deep.dim(2), d[2], w[2] * block},
      {block, d[1] * order.row, w[2]}, {deep.dim(3), d[3], w[3] * block},      {block, d[1] * order.column, w[3]},
  };
  if (!to_space) {
    for (CopyDim& dim : dims) std::swap(dim.in, dim.out);
  }
  strided_copy(byte_size(x.dtype()), std::move(dims), x.bytes(), y.mutable_bytes());
}

void depth_to_space(OpCall& call) {
  const Tensor& x = call.input(0);
  require_rank(x, 4, "the input");
  const int64_t block = block_size(call);
  const std::string mode = call.attributes().get_string("mode", "DCR");
  if (mode != "DCR" && mode != "CRD") throw_error(ErrorCode::kInvalidModel, "mode '{}' is not DCR or CRD", mode);
  if (x.dim(1) % (block * block) != 0) {
    throw_error(ErrorCode::kInvalidModel, "{} channels cannot be divided into blocks of {} by {}", x.dim(1), block,
                block);
  }
  const int64_t channels = x.dim(1) / (block * block);
  Tensor& y = call.output(0, x.dtype(), {x.dim(0), channels, x.dim(2) * block, x.dim(3) * block}, x.layout());
  const ChannelOrder depth_first{block * channels, channels, 1}, channels_first{block, 1, block * block};
  copy_blocks(x, y, true, block, mode == "DCR" ? depth_first : channels_first);
}

void space_to_depth(OpCall& call) {
  const Tensor& x = call.input(0);
  require_rank(x, 4, "the input");
  const int64_t block = block_size(call);
  if (x.dim(2) % block != 0 || x.dim(3) % block != 0) {
    throw_error(ErrorCode::kInvalidModel, "an image of {} by {} cannot be divided into blocks of {} by {}", x.dim(2),
                x.dim(3), block, block);
  }
  const Shape shape = {x.dim(0), x.dim(1) * block * block, x.dim(2) / block, x.dim(3) / block};
  Tensor& y = call.output(0, x.dtype(), shape, x.layout());
  copy_blocks(x, y, false, block, {block * x.dim(1), x.dim(1), 1});
}

constexpr OpDef kOps[] = {
    {.op_type = "DepthToSpace", .run = depth_to_space, .any_layout = true},
    {.op_type = "SpaceToDepth", .run = space_to_depth, .any_layout = true},
};

}  // namespace

std::span<const OpDef> depth_to_space_ops() { return kOps; }

}  // namespace twofold
