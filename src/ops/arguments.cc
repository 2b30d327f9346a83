#include "ops/arguments.h"

#include "base/error.h"

namespace twofold {

int64_t normalize_axis(int64_t axis, int64_t rank) {
  if (axis < -rank || axis >= rank) {
    throw_error(ErrorCode::kInvalidModel, "axis {} is out of range for a tensor of rank {}", axis, rank);
  }
  return axis < 0 ? axis + rank : axis;
}

std::vector<int64_t> normalize_axes(std::vector<int64_t> axes, int64_t rank) {
  std::vector<bool> seen(static_cast<size_t>(rank), false);
  for (int64_t& axis : axes) {
    axis = normalize_axis(axis, rank);
    if (seen[static_cast<size_t>(axis)]) throw_error(ErrorCode::kInvalidModel, "axis {} is given twice", axis);
    seen[static_cast<size_t>(axis)] = true;
  }
  return axes;
}

namespace {

template <typename List>
List ints_of(const Tensor& tensor, std::string_view what, List list) {
  if (tensor.dtype() == DType::kInt64) {
    const auto values = tensor.data<int64_t>();
    list.assign(values.begin(), values.end());
  } else if (tensor.dtype() == DType::kInt32) {
    const auto values = tensor.data<int32_t>();
    list.assign(values.begin(), values.end());
  } else {
    throw_error(ErrorCode::kInvalidModel, "{} must be int32 or int64, not {}", what, to_string(tensor.dtype()));
  }
  return list;
}

}  // namespace

std::vector<int64_t> read_ints(const Tensor& tensor, std::string_view what) {
  return ints_of(tensor, what, std::vector<int64_t>());
}

IntList read_ints(const Tensor& tensor, std::string_view what, Allocator* allocator) {
  return ints_of(tensor, what, IntList(allocator));
}

int64_t read_int(const Tensor& tensor, std::string_view what) {
  if (tensor.size() != 1) {
    throw_error(ErrorCode::kInvalidModel, "{} must be a single value, but its shape is {}", what,
                to_string(tensor.shape()));
  }
  return read_ints(tensor, what)[0];
}

bool read_flag(const Tensor& tensor, std::string_view what) {
  if (tensor.dtype() != DType::kBool || tensor.size() != 1) {
    throw_error(ErrorCode::kInvalidModel, "{} must be a single bool, but it is {} of shape {}", what,
                to_string(tensor.dtype()), to_string(tensor.shape()));
  }
  return tensor.data<uint8_t>()[0] != 0;
}

namespace {

int64_t normalize_index(int64_t index, int64_t limit) {
  if (index < -limit || index >= limit) {
    throw_error(ErrorCode::kInvalidArgument, "index {} is out of range for a dimension of {}", index, limit);
  }
  return index < 0 ? index + limit : index;
}

}  // namespace

IntList read_indices(const Tensor& tensor, int64_t limit, Allocator* allocator) {
  IntList indices = read_ints(tensor, "the tensor of indices", allocator);
  for (int64_t& index : indices) index = normalize_index(index, limit);
  return indices;
}

IntList read_positions(const Tensor& tensor, const Shape& box, Allocator* allocator) {
  const IntList indices = read_ints(tensor, "the tensor of indices", allocator);
  const int64_t count = num_elements({tensor.shape().begin(), tensor.shape().end() - 1});
  IntList positions(static_cast<size_t>(count), allocator);
  for (size_t i = 0; i < positions.size(); ++i) {
    for (size_t d = 0; d < box.size(); ++d) {
      positions[i] = positions[i] * box[d] + normalize_index(indices[i * box.size() + d], box[d]);
    }
  }
  return positions;
}

void require_rank(const Tensor& tensor, int rank, std::string_view what) {
  if (tensor.rank() == rank) return;
  throw_error(ErrorCode::kInvalidModel, "{} must have rank {}, but its shape is {}", what, rank,
              to_string(tensor.shape()));
}

}  // namespace twofold
