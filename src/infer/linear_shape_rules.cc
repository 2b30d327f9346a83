// Sums of products, pools and reductions.
#include <algorithm>

#include "infer/shape_rules.h"
#include "traits/op_names.h"

namespace twofold {

namespace {

// Rank and channels from the weight; batch from the input; spatial dimensions are left open.
void conv(const Inference& in) {
  const int rank = in.input(1).rank() > 0 ? in.input(1).rank() : in.input(0).rank();
  if (rank < 2) return;
  Dims shape(static_cast<size_t>(rank), kUnknownDim);
  if (in.input(0).rank() == rank) shape[0] = (*in.input(0).shape)[0];
  if (in.input(1).rank() == rank) {
    const Dims& weight = *in.input(1).shape;
    const bool transposed = in.node.is(op::kConvTranspose);
    shape[1] = weight[transposed ? 1 : 0];
    const int64_t group = in.attributes().get_int("group", 1);
    if (transposed && shape[1] != kUnknownDim && __builtin_mul_overflow(shape[1], group, &shape[1])) return;
  }
  in.output(0).shape = std::move(shape);
}

// Batch and channels stay, spatial dimensions become `size`.
void pool_to(const Inference& in, int64_t size) {
  if (in.input(0).rank() < 2) return;
  Dims shape = *in.input(0).shape;
  std::fill(shape.begin() + 2, shape.end(), size);
  in.output(0).shape = std::move(shape);
}

void pool(const Inference& in) { pool_to(in, kUnknownDim); }
void global_pool(const Inference& in) { pool_to(in, 1); }

void gemm(const Inference& in) {
  Dims shape(2, kUnknownDim);
  if (in.input(0).rank() == 2) shape[0] = (*in.input(0).shape)[in.attributes().get_int("transA", 0) != 0 ? 1 : 0];
  if (in.input(1).rank() == 2) shape[1] = (*in.input(1).shape)[in.attributes().get_int("transB", 0) != 0 ? 0 : 1];
  in.output(0).shape = std::move(shape);
}

void matmul(const Inference& in) {
  if (in.input(0).rank() < 2 || in.input(1).rank() < 2) return;
  const Dims& a = *in.input(0).shape;
  const Dims& b = *in.input(1).shape;
  auto shape = broadcast_dims(Dims(a.begin(), a.end() - 2), Dims(b.begin(), b.end() - 2));
  shape->push_back(a[a.size() - 2]);
  shape->push_back(b.back());
  in.output(0).shape = std::move(shape);
}

void reduce(const Inference& in) {
  const auto axes = known_elements(in.input(1));
  if (!in.input(0).shape || !axes || axes->empty()) return;
  const bool keep = in.attributes().get_int("keepdims", 1) != 0;
  Dims shape = *in.input(0).shape;
  std::vector<bool> reduced(shape.size(), false);
  for (int64_t axis : *axes) {
    const int at = normalized_axis(axis, static_cast<int>(shape.size()));
    if (at < 0) return;
    reduced[static_cast<size_t>(at)] = true;
  }
  Dims result;
  for (size_t i = 0; i < shape.size(); ++i) {
    if (!reduced[i]) result.push_back(shape[i]);
    if (reduced[i] && keep) result.push_back(1);
  }
  in.output(0).shape = std::move(result);
}

}  // namespace

std::span<const ShapeFunction> linear_shape_rules() {
  static constexpr ShapeFunction kRules[] = {
      {op::kAveragePool, pool},
      {op::kConv, conv},
      {op::kConvInteger, conv},
      {op::kConvTranspose, conv},
      {op::kGemm, gemm},
      {op::kGlobalAveragePool, global_pool},
      {op::kGlobalLpPool, global_pool},
      {op::kGlobalMaxPool, global_pool},
      {op::kLpPool, pool},
      {op::kMatMul, matmul},
      {op::kMatMulInteger, matmul},
      {op::kMaxPool, pool},
      {op::kReduceL1, reduce},
      {op::kReduceL2, reduce},
      {op::kReduceLogSum, reduce},
      {op::kReduceLogSumExp, reduce},
      {op::kReduceMax, reduce},
      {op::kReduceMean, reduce},
      {op::kReduceMin, reduce},
      {op::kReduceProd, reduce},
      {op::kReduceSum, reduce},
      {op::kReduceSumSquare, reduce},
  };
  return kRules;
}

}  // namespace twofold
