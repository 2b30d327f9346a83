// TopK: the k largest or smallest along an axis; among equals the one that comes first wins, and NaN is above all.
#include <algorithm>
#include <numeric>

#include "base/parallel_for.h"
#include "kernels/aligned_buffer.h"
#include "loops/dtype_dispatch.h"
#include "ops/arguments.h"
#include "ops/cast.h"
#include "ops/families.h"

namespace twofold {

namespace {

// A total order, since sorting with NaN as neither more nor less than anything would be undefined.
template <typename T>
bool above(T a, T b) {
  return a > b || (!(a == a) && b == b);
}

struct Rows {
  int64_t outer, dim, inner, k;
  bool largest;
};

template <typename T>
void top_k_rows(const Rows& rows, const T* in, T* values, int64_t* indices, Allocator* allocator) {
  const int64_t grain = std::max<int64_t>(1, (1 << 12) / std::max<int64_t>(rows.dim, 1));
  parallel_for(rows.outer * rows.inner, grain, [&](int64_t begin, int64_t end) {
    kernels::AlignedVector<int64_t> order(static_cast<size_t>(rows.dim), allocator);
    for (int64_t r = begin; r < end; ++r) {
      const T* row = in + r / rows.inner * rows.dim * rows.inner + r % rows.inner;
      std::iota(order.begin(), order.end(), int64_t{0});
      const auto before = [&](int64_t a, int64_t b) {
        const T x = row[a * rows.inner], y = row[b * rows.inner];
        if (above(x, y)) return rows.largest;
        if (above(y, x)) return !rows.largest;
        return a < b;
      };
      std::partial_sort(order.begin(), order.begin() + rows.k, order.end(), before);
      const int64_t to = r / rows.inner * rows.k * rows.inner + r % rows.inner;
      for (int64_t i = 0; i < rows.k; ++i) {
        const int64_t index = order[static_cast<size_t>(i)];
        values[to + i * rows.inner] = row[index * rows.inner];
        indices[to + i * rows.inner] = index;
      }
    }
  });
}

void top_k(OpCall& call) {
  const Tensor& x = call.input(0);
  const auto axis = static_cast<size_t>(normalize_axis(call.attributes().get_int("axis", -1), x.rank()));
  const int64_t k = read_int(call.input(1), "K");
  Rows rows{1, x.shape()[axis], 1, k, call.attributes().get_int("largest", 1) != 0};
  if (k < 0 || k > rows.dim) {
    throw_error(ErrorCode::kInvalidArgument, "K is {}, but axis {} has {} elements", k, axis, rows.dim);
  }
  for (size_t d = 0; d < x.shape().size(); ++d) (d < axis ? rows.outer : rows.inner) *= d == axis ? 1 : x.shape()[d];
  Shape shape = x.shape();
  shape[axis] = k;
  Tensor& values = call.output(0, x.dtype(), shape);
  Tensor indices(DType::kInt64, shape);
  if (values.size() > 0) {
    visit_number(x.dtype(), [&](auto zero) {
      using T = decltype(zero);
      top_k_rows<T>(rows, x.data<T>().data(), values.mutable_data<T>().data(), indices.mutable_data<int64_t>().data(),
                    call.allocator());
    });
  }
  call.set_output(1, std::move(indices));
}

constexpr OpDef kOps[] = {
    {.op_type = "TopK", .run = with_16bit_floats<top_k>},
};

}  // namespace

std::span<const OpDef> topk_ops() { return kOps; }

}  // namespace twofold
