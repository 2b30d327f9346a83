// Operators that look at a shape or change only the shape: Shape, Size, Reshape, Squeeze, Unsqueeze, Flatten, Identity
// and Dropout (inference). Those that change only the shape share the bytes of their input.
#include <algorithm>

#include "ops/arguments.h"
#include "ops/cast.h"
#include "ops/families.h"

namespace twofold {

namespace {

void shape(OpCall& call) {
  const Tensor& x = call.input(0);
  const int64_t rank = x.rank();
  const auto position = [&](std::string_view name, int64_t fallback) {
    const int64_t axis = call.attributes().get_int(name, fallback);
    return std::clamp<int64_t>(axis < 0 ? axis + rank : axis, 0, rank);
  };
  const int64_t start = position("start", 0);
  const int64_t end = std::max(start, position("end", rank));
  std::span<int64_t> out = call.output(0, DType::kInt64, {end - start}).mutable_data<int64_t>();
  for (int64_t i = start; i < end; ++i) out[static_cast<size_t>(i - start)] = x.dim(static_cast<int>(i));
}

void size(OpCall& call) { call.set_output(0, Tensor::scalar(call.input(0).size())); }

// `wanted` with 0 (copied from the input unless allowzero) and -1 (whatever is left) replaced by numbers.
Shape resolve_shape(Shape wanted, const Tensor& x, bool allow_zero) {
  const std::string asked = to_string(wanted);
  int64_t known = 1;
  auto inferred = wanted.end();
  bool has_zero = false;
  for (auto dim = wanted.begin(); dim != wanted.end(); ++dim) {
    if (*dim == 0 && allow_zero) has_zero = true;
    if (*dim == 0 && !allow_zero) {
      const int64_t axis = dim - wanted.begin();
      if (axis >= x.rank()) {
        throw_error(ErrorCode::kInvalidModel, "shape {} copies dimension {}, but the input is {}", asked, axis,
                    to_string(x.shape()));
      }
      *dim = x.dim(static_cast<int>(axis));
    }
    if (*dim == -1) {
      if (inferred != wanted.end()) throw_error(ErrorCode::kInvalidModel, "shape {} has more than one -1", asked);
      inferred = dim;
    } else if (*dim < 0) {
      throw_error(ErrorCode::kInvalidModel, "shape {} has a negative dimension", asked);
    } else if (__builtin_mul_overflow(known, *dim, &known)) {
      throw_error(ErrorCode::kInvalidModel, "shape {} has too many elements", asked);
    }
  }
  if (inferred != wanted.end()) {
    if (has_zero) throw_error(ErrorCode::kInvalidModel, "shape {} has both 0 and -1 with allowzero = 1", asked);
    if (known == 0 || x.size() % known != 0) {
      throw_error(ErrorCode::kInvalidModel, "input shape {} cannot be reshaped to {}", to_string(x.shape()), asked);
    }
    *inferred = x.size() / known;
  } else if (known != x.size()) {
    throw_error(ErrorCode::kInvalidModel, "input shape {} cannot be reshaped to {}", to_string(x.shape()), asked);
  }
  return wanted;
}

void reshape(OpCall& call) {
  const Tensor& x = call.input(0);
  const bool allow_zero = call.attributes().get_int("allowzero", 0) != 0;
  call.set_output(0, x.reshaped(resolve_shape(read_ints(call.input(1), "the shape"), x, allow_zero)));
}

void squeeze(OpCall& call) {
  const Tensor& x = call.input(0);
  std::vector<bool> drop(static_cast<size_t>(x.rank()), !call.has_input(1));
  if (call.has_input(1)) {
    for (int64_t axis : normalize_axes(read_ints(call.input(1), "axes"), x.rank())) {
      drop[static_cast<size_t>(axis)] = true;
      if (x.dim(static_cast<int>(axis)) != 1) {
        throw_error(ErrorCode::kInvalidModel, "axis {} of shape {} cannot be squeezed: it is not 1", axis,
                    to_string(x.shape()));
      }
    }
  }
  Shape result;
  for (size_t i = 0; i < drop.size(); ++i) {
    if (!drop[i] || x.shape()[i] != 1) result.push_back(x.shape()[i]);
  }
  call.set_output(0, x.reshaped(std::move(result)));
}

void unsqueeze(OpCall& call) {
  const Tensor& x = call.input(0);
  const std::vector<int64_t> axes = read_ints(call.input(1), "axes");
  const size_t rank = x.shape().size() + axes.size();
  std::vector<bool> added(rank, false);
  for (int64_t axis : normalize_axes(axes, static_cast<int64_t>(rank))) added[static_cast<size_t>(axis)] = true;
  Shape result;
  auto next = x.shape().begin();
  for (size_t i = 0; i < rank; ++i) result.push_back(added[i] ? 1 : *next++);
  call.set_output(0, x.reshaped(std::move(result)));
}

void flatten(OpCall& call) {
  const Tensor& x = call.input(0);
  int64_t axis = call.attributes().get_int("axis", 1);
  if (axis < -x.rank() || axis > x.rank()) {
    throw_error(ErrorCode::kInvalidModel, "axis {} is out of range for input shape {}", axis, to_string(x.shape()));
  }
  if (axis < 0) axis += x.rank();
  const auto split = x.shape().begin() + axis;
  call.set_output(0, x.reshaped({num_elements({x.shape().begin(), split}), num_elements({split, x.shape().end()})}));
}

void identity(OpCall& call) { call.set_output(0, call.input(0)); }

void dropout(OpCall& call) {
  const Tensor& x = call.input(0);
  const bool training = call.has_input(2) && read_flag(call.input(2), "training_mode");
  const bool drops_none =
      call.has_input(1) && call.input(1).size() == 1 && cast(call.input(1), DType::kFloat32).data<float>()[0] == 0;
  if (training && !drops_none) {
    throw_error(ErrorCode::kUnsupported, "Dropout in training mode is not supported; export the model for inference");
  }
  call.set_output(0, x);
  if (!call.wants_output(1)) return;
  std::ranges::fill(call.output(1, DType::kBool, x.shape()).mutable_data<uint8_t>(), uint8_t{1});
}

constexpr OpDef kOps[] = {
    {.op_type = "Shape", .run = shape, .any_layout = true},
    {.op_type = "Size", .run = size, .any_layout = true},
    {.op_type = "Reshape", .run = reshape},
    {.op_type = "Squeeze", .run = squeeze},
    {.op_type = "Unsqueeze", .run = unsqueeze},
    {.op_type = "Flatten", .run = flatten},
    {.op_type = "Identity", .run = identity, .any_layout = true},
    {.op_type = "Dropout", .run = dropout, .any_layout = true},
};

}  // namespace

std::span<const OpDef> shape_ops() { return kOps; }

}  // namespace twofold
