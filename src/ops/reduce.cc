// The Reduce operators (ONNX opset 18, axes as an input): sums, means, extremes, norms over any set of axes.
#include <numeric>

#include "loops/dtype_dispatch.h"
#include "loops/reduce_loops.h"
#include "loops/strided_copy.h"
#include "ops/arguments.h"
#include "ops/cast.h"
#include "ops/families.h"

namespace twofold {

namespace {

// Which dimensions go; empty means none.
std::vector<bool> reduced_dims(const OpCall& call) {
  const auto rank = static_cast<size_t>(call.input(0).rank());
  std::vector<int64_t> axes;
  if (call.has_input(1)) axes = read_ints(call.input(1), "axes");
  std::vector<bool> reduced(rank, axes.empty() && call.attributes().get_int("noop_with_empty_axes", 0) == 0);
  for (int64_t axis : normalize_axes(std::move(axes), static_cast<int64_t>(rank))) {
    reduced[static_cast<size_t>(axis)] = true;
  }
  return reduced;
}

// The data as [outer, axis, inner] where the reduced dimensions are neighbours (ones do not count); otherwise a copy
// with the reduced dimensions moved to the end.
struct Arranged {
  Tensor data;
  AxisSplit split;
};

Arranged arrange(const Tensor& x, const std::vector<bool>& reduced) {
  Arranged result{x, {}};
  const auto rank = static_cast<size_t>(x.rank());
  int groups = 0;
  bool in_group = false;
  for (size_t d = 0; d < rank; ++d) {
    const int64_t dim = x.shape()[d];
    if (dim != 1) {
      if (reduced[d] && !in_group) ++groups;
      in_group = reduced[d];
    }
    (reduced[d] ? result.split.axis : groups == 0 ? result.split.outer : result.split.inner) *= dim;
  }
  if (groups <= 1) return result;
  const std::vector<int64_t> in = element_strides(x.shape());
  std::vector<CopyDim> dims;
  int64_t step = 1;
  for (bool last : {true, false}) {
    for (size_t d = rank; d-- > 0;) {
      if (reduced[d] != last) continue;
      dims.push_back({x.shape()[d], in[d], step});
      step *= x.shape()[d];
    }
  }
  result.data = Tensor(x.dtype(), x.shape());
  strided_copy(byte_size(x.dtype()), dims, x.bytes(), result.data.mutable_bytes());
  result.split = {result.split.outer * result.split.inner, result.split.axis, 1};
  return result;
}

template <ReduceOp op>
void reduce_typed(OpCall& call) {
  const Tensor& x = call.input(0);
  const std::vector<bool> reduced = reduced_dims(call);
  const bool keep = call.attributes().get_int("keepdims", 1) != 0;
  Shape shape;
  for (size_t d = 0; d < reduced.size(); ++d) {
    if (!reduced[d]) shape.push_back(x.shape()[d]);
    if (reduced[d] && keep) shape.push_back(1);
  }
  Tensor& y = call.output(0, x.dtype(), shape);
  if (y.size() == 0) return;
  const Arranged arranged = arrange(x, reduced);
  const bool extreme = op == ReduceOp::kMax || op == ReduceOp::kMin;
  const DType dtype = x.dtype() == DType::kBool && extreme ? DType::kUInt8 : x.dtype();
  visit_number(dtype, [&]<typename T>(T) {
    reduce<T>(op, arranged.split, arranged.data.data<T>().data(), y.mutable_data<T>().data());
  });
}

constexpr OpDef kOps[] = {
    {.op_type = "ReduceSum", .run = with_16bit_floats<reduce_typed<ReduceOp::kSum>>},
    {.op_type = "ReduceMean", .run = with_16bit_floats<reduce_typed<ReduceOp::kMean>>},
    {.op_type = "ReduceMax", .run = with_16bit_floats<reduce_typed<ReduceOp::kMax>>},
    {.op_type = "ReduceMin", .run = with_16bit_floats<reduce_typed<ReduceOp::kMin>>},
    {.op_type = "ReduceProd", .run = with_16bit_floats<reduce_typed<ReduceOp::kProd>>},
    {.op_type = "ReduceL1", .run = with_16bit_floats<reduce_typed<ReduceOp::kL1>>},
    {.op_type = "ReduceL2", .run = with_16bit_floats<reduce_typed<ReduceOp::kL2>>},
    {.op_type = "ReduceLogSum", .run = with_16bit_floats<reduce_typed<ReduceOp::kLogSum>>},
    {.op_type = "ReduceLogSumExp", .run = with_16bit_floats<reduce_typed<ReduceOp::kLogSumExp>>},
    {.op_type = "ReduceSumSquare", .run = with_16bit_floats<reduce_typed<ReduceOp::kSumSquare>>},
};

}  // namespace

std::span<const OpDef> reduce_ops() { return kOps; }

}  // namespace twofold
