// Unique: the distinct elements, or the distinct slices along an axis, sorted or in order of appearance.
#include <algorithm>
#include <cstring>
#include <numeric>

#include "loops/dtype_dispatch.h"
#include "ops/arguments.h"
#include "ops/cast.h"
#include "ops/families.h"

namespace twofold {

namespace {

// Slice i of the axis is the elements [o][i][j] for all o and j.
struct Slices {
  int64_t outer, dim, inner;
};

// -1, 0 or 1 as slice a comes before, is, or comes after slice b. NaN is above every number and equal to itself.
template <typename T>
int compare(const Slices& slices, const T* x, int64_t a, int64_t b) {
  for (int64_t o = 0; o < slices.outer; ++o) {
    for (int64_t j = 0; j < slices.inner; ++j) {
      const T p = x[(o * slices.dim + a) * slices.inner + j], q = x[(o * slices.dim + b) * slices.inner + j];
      if (p < q || (p == p && !(q == q))) return -1;
      if (q < p || (q == q && !(p == p))) return 1;
    }
  }
  return 0;
}

// Groups of equal slices: `first` has the first member of each, in the order of the result; `group` the group of each
// slice; `count` its size.
struct Groups {
  std::vector<int64_t> first, group, count;
};

template <typename T>
Groups find_groups(const Slices& slices, const T* x, bool sorted) {
  std::vector<int64_t> order(static_cast<size_t>(slices.dim));
  std::iota(order.begin(), order.end(), int64_t{0});
  std::stable_sort(order.begin(), order.end(), [&](int64_t a, int64_t b) { return compare(slices, x, a, b) < 0; });
  Groups groups{{}, std::vector<int64_t>(order.size()), {}};
  for (size_t i = 0; i < order.size(); ++i) {
    if (i == 0 || compare(slices, x, order[i - 1], order[i]) != 0) groups.first.push_back(order[i]);
    groups.group[static_cast<size_t>(order[i])] = static_cast<int64_t>(groups.first.size()) - 1;
  }
  if (!sorted) {
    std::vector<int64_t> appearance = groups.first;
    std::sort(appearance.begin(), appearance.end());
    for (int64_t& g : groups.group) {
      const auto at = std::lower_bound(appearance.begin(), appearance.end(), groups.first[static_cast<size_t>(g)]);
      g = at - appearance.begin();
    }
    groups.first = std::move(appearance);
  }
  groups.count.resize(groups.first.size(), 0);
  for (int64_t g : groups.group) ++groups.count[static_cast<size_t>(g)];
  return groups;
}

void unique(OpCall& call) {
  const bool flat = !call.attributes().has("axis");
  const Tensor x = flat ? call.input(0).reshaped({call.input(0).size()}) : call.input(0);
  const bool sorted = call.attributes().get_int("sorted", 1) != 0;
  const auto axis = static_cast<size_t>(flat ? 0 : normalize_axis(call.attributes().get_int("axis"), x.rank()));
  Slices slices{1, x.shape()[axis], 1};
  for (size_t d = 0; d < x.shape().size(); ++d)
    (d < axis ? slices.outer : slices.inner) *= d == axis ? 1 : x.shape()[d];
  const DType dtype = x.dtype() == DType::kBool ? DType::kUInt8 : x.dtype();
  const Tensor numbers = cast(x, dtype);
  const Groups groups = visit_number(dtype, [&](auto zero) {
    using T = decltype(zero);
    return find_groups<T>(slices, numbers.data<T>().data(), sorted);
  });
  Shape shape = x.shape();
  shape[axis] = static_cast<int64_t>(groups.first.size());
  Tensor& y = call.output(0, x.dtype(), std::move(shape));
  const size_t run = static_cast<size_t>(slices.inner) * byte_size(x.dtype());
  std::byte* to = y.mutable_bytes();
  for (int64_t o = 0; o < slices.outer; ++o) {
    for (int64_t i : groups.first) {
      to = std::copy_n(x.bytes() + static_cast<size_t>(o * slices.dim + i) * run, run, to);
    }
  }
  const auto vector = [](const std::vector<int64_t>& v) {
    return Tensor::from<int64_t>({static_cast<int64_t>(v.size())}, v);
  };
  call.set_output(1, vector(groups.first));
  call.set_output(2, vector(groups.group));
  call.set_output(3, vector(groups.count));
}

constexpr OpDef kOps[] = {
    {.op_type = "Unique", .run = with_16bit_floats<unique>},
};

}  // namespace

std::span<const OpDef> unique_ops() { return kOps; }

}  // namespace twofold
