// Transpose.
#include "loops/strided_copy.h"
#include "ops/arguments.h"
#include "ops/families.h"

namespace twofold {

namespace {

// True if walking the output in order walks the input's memory in order, so that no element has to move.
bool keeps_order(const std::vector<CopyDim>& dims) {
  int64_t previous = -1;
  for (const CopyDim& dim : dims) {
    if (dim.size == 1) continue;
    if (previous >= 0 && dim.in > previous) return false;
    previous = dim.in;
  }
  return true;
}

void transpose(OpCall& call) {
  const Tensor& x = call.input(0);
  const auto rank = static_cast<size_t>(x.rank());
  std::vector<int64_t> reversed(rank);
  for (size_t i = 0; i < rank; ++i) reversed[i] = static_cast<int64_t>(rank - 1 - i);
  const std::vector<int64_t> perm =
      normalize_axes(call.attributes().get_ints("perm", std::move(reversed)), static_cast<int64_t>(rank));
  if (perm.size() != rank) {
    throw_error(ErrorCode::kInvalidModel, "perm has {} axes, but the input has shape {}", perm.size(),
                to_string(x.shape()));
  }
  Shape shape(rank);
  for (size_t i = 0; i < rank; ++i) shape[i] = x.shape()[static_cast<size_t>(perm[i])];
  const std::vector<int64_t> in = element_strides(x.shape(), x.layout());
  const std::vector<int64_t> out = element_strides(shape);
  std::vector<CopyDim> dims(rank);
  for (size_t i = 0; i < rank; ++i) dims[i] = {shape[i], in[static_cast<size_t>(perm[i])], out[i]};
  if (keeps_order(dims)) {
    call.set_output(0, Tensor::wrap(x.dtype(), std::move(shape), x.bytes(), std::make_shared<Tensor>(x)));
    return;
  }
  Tensor& y = call.output(0, x.dtype(), std::move(shape));
  strided_copy(byte_size(x.dtype()), std::move(dims), x.bytes(), y.mutable_bytes());
}

constexpr OpDef kOps[] = {
    {.op_type = "Transpose", .run = transpose, .any_layout = true},
};

}  // namespace

std::span<const OpDef> transpose_ops() { return kOps; }

}  // namespace twofold
