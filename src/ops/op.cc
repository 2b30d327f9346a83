#include "ops/op.h"

namespace twofold {

const Tensor& OpCall::input(int i) const {
  if (!has_input(i)) throw_error(ErrorCode::kInvalidModel, "input {} is required but missing", i);
  return *inputs_[static_cast<size_t>(i)];
}

Tensor& OpCall::output(int i, DType dtype, Shape shape, Layout layout) {
  if (i >= num_outputs()) throw_error(ErrorCode::kInvalidModel, "the node must have at least {} outputs", i + 1);
  Tensor& slot = outputs_[static_cast<size_t>(i)];
  slot = Tensor(dtype, std::move(shape), layout, allocator_);
  return slot;
}

void OpCall::set_output(int i, Tensor tensor) {
  if (i < num_outputs()) outputs_[static_cast<size_t>(i)] = std::move(tensor);
}

}  // namespace twofold
