// Arguments of operators that come as attributes or as small integer tensors: axes, shapes, counts, indices.
#ifndef TWOFOLD_SRC_OPS_ARGUMENTS_H_
#define TWOFOLD_SRC_OPS_ARGUMENTS_H_

#include <cstdint>
#include <string_view>
#include <vector>

#include "kernels/aligned_buffer.h"
#include "twofold/tensor.h"

namespace twofold {

// Lists that may be long.
using IntList = kernels::AlignedVector<int64_t>;
using FloatList = kernels::AlignedVector<float>;

// `axis` counted from the front. Throws Error(kInvalidModel) unless it is in [-rank, rank).
int64_t normalize_axis(int64_t axis, int64_t rank);
// The same for each of `axes`; throws also if two are the same.
std::vector<int64_t> normalize_axes(std::vector<int64_t> axes, int64_t rank);

// All values of an int32 or int64 tensor. Throws Error(kInvalidModel) naming `what` for another type.
std::vector<int64_t> read_ints(const Tensor& tensor, std::string_view what);
// The same from `allocator`, which must outlive the list, or from the heap without one.
IntList read_ints(const Tensor& tensor, std::string_view what, Allocator* allocator);
// Its only value; throws if it has none or several.
int64_t read_int(const Tensor& tensor, std::string_view what);

// The only value of a bool tensor.
bool read_flag(const Tensor& tensor, std::string_view what);

// All values of a tensor of indices, each counted from the front. Throws Error(kInvalidArgument) naming the first one
// that is not in [-limit, limit).
IntList read_indices(const Tensor& tensor, int64_t limit, Allocator* allocator);

// A tensor whose last dimension holds one index per dimension of `box`: the row-major position in the box of each such
// tuple. Throws like read_indices. REQUIRES: the last dimension is box.size().
IntList read_positions(const Tensor& tensor, const Shape& box, Allocator* allocator);

// Throws Error(kInvalidModel) naming `what` unless the tensor has exactly `rank` dimensions.
void require_rank(const Tensor& tensor, int rank, std::string_view what);

}  // namespace twofold

#endif  // TWOFOLD_SRC_OPS_ARGUMENTS_H_
