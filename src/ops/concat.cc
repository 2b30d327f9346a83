// Concat. Channels-last if all inputs are; the other inputs may lie in any layout.
#include "loops/strided_copy.h"
#include "ops/arguments.h"
#include "ops/families.h"

namespace twofold {

namespace {

// The shape of the result; throws where an input does not fit the first one.
Shape concat_shape(const OpCall& call, size_t axis) {
  const Tensor& first = call.input(0);
  Shape shape = first.shape();
  for (int i = 1; i < call.num_inputs(); ++i) {
    const Tensor& x = call.input(i);
    if (x.dtype() != first.dtype()) {
      throw_error(ErrorCode::kInvalidModel, "input {} is {}, but input 0 is {}", i, to_string(x.dtype()),
                  to_string(first.dtype()));
    }
    bool fits = x.rank() == first.rank();
    for (size_t d = 0; fits && d < shape.size(); ++d) fits = d == axis || x.shape()[d] == shape[d];
    if (!fits) {
      throw_error(ErrorCode::kInvalidModel, "input {} of shape {} cannot be joined to shape {} along axis {}", i,
                  to_string(x.shape()), to_string(first.shape()), axis);
    }
    shape[axis] += x.shape()[axis];
  }
  return shape;
}

void concat(OpCall& call) {
  const Tensor& first = call.input(0);
  if (call.num_inputs() == 1) return call.set_output(0, first);
  const auto axis = static_cast<size_t>(normalize_axis(call.attributes().get_int("axis"), first.rank()));
  Shape shape = concat_shape(call, axis);
  Layout layout = Layout::kChannelsLast;
  for (int i = 0; i < call.num_inputs(); ++i) {
    if (call.input(i).layout() == Layout::kPlain) layout = Layout::kPlain;
  }
  const std::vector<int64_t> out = element_strides(shape, layout);
  Tensor& y = call.output(0, first.dtype(), std::move(shape), layout);
  const auto element = static_cast<int64_t>(byte_size(y.dtype()));
  std::byte* cursor = y.mutable_bytes();
  for (int i = 0; i < call.num_inputs(); ++i) {
    const Tensor& x = call.input(i);
    const std::vector<int64_t> in = element_strides(x.shape(), x.layout());
    std::vector<CopyDim> dims(out.size());
    for (size_t d = 0; d < dims.size(); ++d) dims[d] = {x.shape()[d], in[d], out[d]};
    strided_copy(byte_size(x.dtype()), std::move(dims), x.bytes(), cursor);
    cursor += x.shape()[axis] * out[axis] * element;
  }
}

constexpr OpDef kOps[] = {
    {.op_type = "Concat", .run = concat, .any_layout = true},
};

}  // namespace

std::span<const OpDef> concat_ops() { return kOps; }

}  // namespace twofold
