#include "ops/block_conv_transpose.h"

#include <algorithm>

#include "base/parallel_for.h"
#include "loops/strided_copy.h"

namespace twofold {

namespace {

// Floats of the product that one thread holds at a time: they stay in its share of the second-level cache until they
// are copied.
constexpr int64_t kTile = 1 << 16;

// The elements of [C,M,k...] after C and M.
int64_t block_size(const Shape& weights) {
  int64_t size = 1;
  for (size_t i = 2; i < weights.size(); ++i) size *= weights[i];
  return size;
}

// [C,M,k...] to the matrix [C,k...,M]: each row is one input channel's part of a block, channels-last.
Tensor block_matrix(const Tensor& weights) {
  const int64_t c = weights.dim(0), m = weights.dim(1), block = block_size(weights.shape());
  Tensor matrix(DType::kFloat32, {c, block * m});
  strided_copy(sizeof(float), {{c, m * block, m * block}, {m, block, 1}, {block, 1, m}}, weights.bytes(),
               matrix.mutable_bytes());
  return matrix;
}

// The bias of every position of a block.
Tensor block_bias(const Tensor& bias, int64_t block) {
  if (!bias.defined()) return {};
  Tensor row(DType::kFloat32, {1, block * bias.size()});
  for (int64_t i = 0; i < block; ++i) {
    std::copy_n(bias.data<float>().data(), bias.size(), row.mutable_data<float>().data() + i * bias.size());
  }
  return row;
}

// [N,spatial...] and k with three spatial axes; those that are not there have one position.
struct Blocks {
  int64_t n = 1, size[3] = {1, 1, 1}, kernel[3] = {1, 1, 1};
};

Blocks blocks_of(const Shape& x, const Shape& weights) {
  Blocks blocks{.n = x[0]};
  for (size_t axis = 2; axis < x.size(); ++axis) {
    const size_t i = axis + 3 - x.size();
    blocks.size[i] = x[axis];
    blocks.kernel[i] = weights[axis];
  }
  return blocks;
}

}  // namespace

BlockConvTranspose::BlockConvTranspose(const Tensor& weights, const Tensor& bias, const FloatSteps& steps)
    : weights_(weights.shape()),
      product_(block_matrix(weights), false, block_bias(bias, block_size(weights_)), steps) {}

void BlockConvTranspose::run(const OpCall& call, const Tensor& x, Tensor& y) const {
  const Blocks b = blocks_of(x.shape(), weights_);
  const int64_t m = weights_[1], width = b.size[2];
  const int64_t run = b.kernel[2] * m;  // of one block, contiguous on both sides
  const int64_t out_row = width * run;  // of one row of blocks
  const int64_t out_plane = out_row * b.size[1] * b.kernel[1];
  const float* in = x.data<float>().data();
  float* out = y.mutable_data<float>().data();
  if (b.kernel[0] * b.kernel[1] == 1) return product_.run(call, x.size() / weights_[0], in, {}, out);
  // Rows of blocks in tiles: the product of one tile, then its blocks cut into the rows of the output.
  const int64_t rows = b.n * b.size[0] * b.size[1];
  const int64_t tile = std::clamp<int64_t>(kTile / (width * product_.n()), 1, rows);
  parallel_for((rows + tile - 1) / tile, 1, [&](int64_t begin, int64_t end) {
    Tensor product = call.scratch(DType::kFloat32, {tile * width, product_.n()});
    float* blocks = product.mutable_data<float>().data();
    for (int64_t t = begin; t < end; ++t) {
      const int64_t first = t * tile, count = std::min(tile, rows - first);
      product_.run(call, count * width, in + first * width * product_.k(), {}, blocks);
      for (int64_t row = first; row < first + count; ++row) {
        const int64_t plane = row / b.size[1] * b.kernel[0], line = row % b.size[1] * b.kernel[1];
        strided_copy(sizeof(float),
                     {{width, product_.n(), run},
                      {b.kernel[0], b.kernel[1] * run, out_plane},
                      {b.kernel[1], run, out_row},
                      {run, 1, 1}},
                     reinterpret_cast<const std::byte*>(blocks + (row - first) * width * product_.n()),
                     reinterpret_cast<std::byte*>(out + plane * out_plane + line * out_row));
      }
    }
  });
}

}  // namespace twofold
