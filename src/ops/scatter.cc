// ScatterElements and ScatterND, with every reduction.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <type_traits>

#include "loops/dtype_dispatch.h"
#include "loops/element.h"
#include "loops/strided_copy.h"
#include "ops/arguments.h"
#include "ops/cast.h"
#include "ops/families.h"

namespace twofold {

namespace {

enum class Reduction { kNone, kAdd, kMul, kMin, kMax };

Reduction parse_reduction(const std::string& word) {
  if (word == "none") return Reduction::kNone;
  if (word == "add") return Reduction::kAdd;
  if (word == "mul") return Reduction::kMul;
  if (word == "min") return Reduction::kMin;
  if (word == "max") return Reduction::kMax;
  throw_error(ErrorCode::kInvalidModel, "reduction '{}' is none of none, add, mul, min, max", word);
}

template <typename T>
T reduce(Reduction reduction, T a, T b) {
  // Integers wrap: as unsigned words of the same size, or of int's size where they are smaller.
  using Word = std::conditional_t<std::is_integral_v<T>, std::conditional_t<(sizeof(T) > 4), uint64_t, uint32_t>, T>;
  const bool is_nan = !(b == b);
  switch (reduction) {
    case Reduction::kAdd: return static_cast<T>(static_cast<Word>(a) + static_cast<Word>(b));
    case Reduction::kMul: return static_cast<T>(static_cast<Word>(a) * static_cast<Word>(b));
    case Reduction::kMin: return b < a || is_nan ? b : a;
    case Reduction::kMax: return a < b || is_nan ? b : a;
    case Reduction::kNone: break;
  }
  return b;
}

// One run of neighbouring elements of `updates` and where it goes; runs are applied in order, since they may overlap.
using Runs = IntList;

template <typename T>
void reduce_runs(Reduction reduction, const Runs& runs, int64_t length, const T* updates, T* out) {
  for (size_t r = 0; r < runs.size(); ++r) {
    const T* from = updates + static_cast<int64_t>(r) * length;
    T* to = out + runs[r] * length;
    for (int64_t i = 0; i < length; ++i) to[i] = reduce(reduction, to[i], from[i]);
  }
}

// bool behaves as an integer of one bit: add and max are "or", mul and min are "and".
Reduction for_bool(Reduction reduction) {
  if (reduction == Reduction::kAdd) return Reduction::kMax;
  return reduction == Reduction::kMul ? Reduction::kMin : reduction;
}

void apply(OpCall& call, Reduction reduction, const Runs& runs, int64_t length) {
  const Tensor& data = call.input(0);
  const Tensor& updates = call.input(2);
  Tensor& out = call.output(0, data.dtype(), data.shape());
  std::copy_n(data.bytes(), data.byte_size(), out.mutable_bytes());
  if (reduction == Reduction::kNone) {
    with_word(byte_size(data.dtype()), [&]<typename T>() {
      for (size_t r = 0; r < runs.size(); ++r) {
        std::memcpy(mutable_words<T>(out) + runs[r] * length, words<T>(updates) + static_cast<int64_t>(r) * length,
                    static_cast<size_t>(length) * sizeof(T));
      }
    });
  } else if (data.dtype() == DType::kBool) {
    reduce_runs(for_bool(reduction), runs, length, updates.data<uint8_t>().data(), out.mutable_data<uint8_t>().data());
  } else {
    visit_number(data.dtype(), [&](auto zero) {
      using T = decltype(zero);
      reduce_runs<T>(reduction, runs, length, updates.data<T>().data(), out.mutable_data<T>().data());
    });
  }
}

void require_same_dtype(const OpCall& call) {
  if (call.input(0).dtype() == call.input(2).dtype()) return;
  throw_error(ErrorCode::kInvalidModel, "the data is {}, but the updates are {}", to_string(call.input(0).dtype()),
              to_string(call.input(2).dtype()));
}

void scatter_elements(OpCall& call) {
  const Tensor& data = call.input(0);
  const Tensor& index = call.input(1);
  require_same_dtype(call);
  const auto axis = static_cast<size_t>(normalize_axis(call.attributes().get_int("axis", 0), data.rank()));
  const Reduction reduction = parse_reduction(call.attributes().get_string("reduction", "none"));
  bool fits = index.rank() == data.rank() && index.shape() == call.input(2).shape();
  for (size_t d = 0; fits && d < index.shape().size(); ++d) fits = d == axis || index.shape()[d] <= data.shape()[d];
  if (!fits) {
    throw_error(ErrorCode::kInvalidModel, "indices of shape {} and updates of shape {} do not fit data of shape {}",
                to_string(index.shape()), to_string(call.input(2).shape()), to_string(data.shape()));
  }
  Runs runs = read_indices(index, data.shape()[axis], call.allocator());
  const std::vector<int64_t> to = element_strides(data.shape());
  const std::vector<int64_t> from = element_strides(index.shape());
  for (size_t i = 0; i < runs.size(); ++i) {
    int64_t offset = runs[i] * to[axis];
    auto rest = static_cast<int64_t>(i);
    for (size_t d = 0; d < from.size(); ++d) {
      if (d != axis) offset += rest / from[d] * to[d];
      rest %= from[d];
    }
    runs[i] = offset;
  }
  apply(call, reduction, runs, 1);
}

void scatter_nd(OpCall& call) {
  const Tensor& data = call.input(0);
  const Tensor& index = call.input(1);
  require_same_dtype(call);
  const Reduction reduction = parse_reduction(call.attributes().get_string("reduction", "none"));
  const int64_t depth = index.rank() > 0 ? index.shape().back() : -1;
  Shape expected;
  if (depth >= 0 && depth <= data.rank()) {
    expected.assign(index.shape().begin(), index.shape().end() - 1);
    expected.insert(expected.end(), data.shape().begin() + depth, data.shape().end());
  }
  if (depth < 0 || depth > data.rank() || call.input(2).shape() != expected) {
    throw_error(ErrorCode::kInvalidModel, "indices of shape {} and updates of shape {} do not fit data of shape {}",
                to_string(index.shape()), to_string(call.input(2).shape()), to_string(data.shape()));
  }
  const auto split = data.shape().begin() + depth;
  apply(call, reduction, read_positions(index, {data.shape().begin(), split}, call.allocator()),
        num_elements({split, data.shape().end()}));
}

constexpr OpDef kOps[] = {
    {.op_type = "ScatterElements", .run = with_16bit_floats<scatter_elements>},
    {.op_type = "ScatterND", .run = with_16bit_floats<scatter_nd>},
};

}  // namespace

std::span<const OpDef> scatter_ops() { return kOps; }

}  // namespace twofold
