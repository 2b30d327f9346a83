// Expand and Tile: elements repeated along axes.
#include <algorithm>

#include "loops/strided_copy.h"
#include "ops/arguments.h"
#include "ops/families.h"

namespace twofold {

namespace {

void expand(OpCall& call) {
  const Tensor& x = call.input(0);
  Shape shape = read_ints(call.input(1), "the shape");
  const Shape asked = shape;
  Shape aligned = x.shape();  // both shapes with 1s in front where the other is longer
  const size_t rank = std::max(shape.size(), aligned.size());
  shape.insert(shape.begin(), rank - shape.size(), 1);
  aligned.insert(aligned.begin(), rank - aligned.size(), 1);
  for (size_t d = 0; d < rank; ++d) {
    if (shape[d] == 1) shape[d] = aligned[d];
    if (aligned[d] != 1 && aligned[d] != shape[d]) {
      throw_error(ErrorCode::kInvalidModel, "input shape {} cannot be broadcast to {}", to_string(x.shape()),
                  to_string(asked));
    }
  }
  if (shape == x.shape()) return call.set_output(0, x);
  const std::vector<int64_t> in = element_strides(aligned);
  const std::vector<int64_t> out = element_strides(shape);
  std::vector<CopyDim> dims(rank);
  for (size_t d = 0; d < rank; ++d) dims[d] = {shape[d], aligned[d] == 1 ? 0 : in[d], out[d]};
  Tensor& y = call.output(0, x.dtype(), std::move(shape));
  strided_copy(byte_size(x.dtype()), std::move(dims), x.bytes(), y.mutable_bytes());
}

void tile(OpCall& call) {
  const Tensor& x = call.input(0);
  const std::vector<int64_t> repeats = read_ints(call.input(1), "repeats");
  if (repeats.size() != x.shape().size()) {
    throw_error(ErrorCode::kInvalidModel, "repeats has {} values, but the input has shape {}", repeats.size(),
                to_string(x.shape()));
  }
  Shape shape = x.shape();
  for (size_t d = 0; d < shape.size(); ++d) {
    if (repeats[d] < 0) throw_error(ErrorCode::kInvalidModel, "repeats {} has a negative value", to_string(repeats));
    if (__builtin_mul_overflow(shape[d], repeats[d], &shape[d])) {
      throw_error(ErrorCode::kResourceExhausted, "shape {} repeated {} times has too many elements",
                  to_string(x.shape()), to_string(repeats));
    }
  }
  const std::vector<int64_t> in = element_strides(x.shape());
  Tensor& y = call.output(0, x.dtype(), std::move(shape));
  const std::vector<int64_t> out = element_strides(y.shape());
  std::vector<CopyDim> dims;
  for (size_t d = 0; d < repeats.size(); ++d) {
    dims.push_back({repeats[d], 0, out[d] * x.shape()[d]});
    dims.push_back({x.shape()[d], in[d], out[d]});
  }
  strided_copy(byte_size(x.dtype()), std::move(dims), x.bytes(), y.mutable_bytes());
}

constexpr OpDef kOps[] = {
    {.op_type = "Expand", .run = expand},
    {.op_type = "Tile", .run = tile},
};

}  // namespace

std::span<const OpDef> expand_ops() { return kOps; }

}  // namespace twofold
