// Operators that walk along one axis: ArgMax, ArgMin (ONNX opset 13) and CumSum (opset 14).
#include <algorithm>
#include <type_traits>

#include "base/parallel_for.h"
#include "loops/axis_split.h"
#include "loops/dtype_dispatch.h"
#include "ops/arguments.h"
#include "ops/cast.h"
#include "ops/families.h"

namespace twofold {

namespace {

constexpr int64_t kGrain = 1 << 14;

template <typename Better, typename T>
void arg_extreme(const AxisSplit& split, bool last, const T* in, int64_t* out) {
  parallel_for(split.outer, std::max<int64_t>(1, kGrain / (split.axis * split.inner)), [&](int64_t begin, int64_t end) {
    for (int64_t o = begin; o < end; ++o) {
      for (int64_t i = 0; i < split.inner; ++i) {
        const T* x = in + o * split.axis * split.inner + i;
        int64_t best = 0;
        for (int64_t k = 1; k < split.axis; ++k) {
          const T v = x[k * split.inner], champion = x[best * split.inner];
          if (Better()(v, champion) || (last && v == champion)) best = k;
        }
        out[o * split.inner + i] = best;
      }
    }
  });
}

template <typename Better>
void arg_op(OpCall& call) {
  const Tensor& x = call.input(0);
  const int64_t axis = normalize_axis(call.attributes().get_int("axis", 0), x.rank());
  Shape shape = x.shape();
  if (call.attributes().get_int("keepdims", 1) != 0) {
    shape[static_cast<size_t>(axis)] = 1;
  } else {
    shape.erase(shape.begin() + axis);
  }
  const bool last = call.attributes().get_int("select_last_index", 0) != 0;
  const AxisSplit split = split_at(x.shape(), axis);
  std::span<int64_t> out = call.output(0, DType::kInt64, shape).mutable_data<int64_t>();
  if (out.empty()) return;
  if (split.axis == 0) {
    throw_error(ErrorCode::kInvalidArgument, "axis {} of input shape {} is empty", axis, to_string(x.shape()));
  }
  visit_number(x.dtype(), [&]<typename T>(T) { arg_extreme<Better>(split, last, x.data<T>().data(), out.data()); });
}

// float32 is summed in double; integers wrap.
template <typename T>
void cum_sum(const AxisSplit& split, bool exclusive, bool reverse, const T* in, T* out) {
  using Sum = std::conditional_t<std::is_integral_v<T>, uint64_t, double>;
  for (int64_t o = 0; o < split.outer; ++o) {
    for (int64_t i = 0; i < split.inner; ++i) {
      Sum sum = 0;
      for (int64_t k = 0; k < split.axis; ++k) {
        const int64_t at = (o * split.axis + (reverse ? split.axis - 1 - k : k)) * split.inner + i;
        const auto x = static_cast<Sum>(in[at]);
        out[at] = static_cast<T>(exclusive ? sum : sum + x);
        sum += x;
      }
    }
  }
}

void cum_sum_op(OpCall& call) {
  const Tensor& x = call.input(0);
  const int64_t axis = normalize_axis(read_int(call.input(1), "axis"), x.rank());
  const bool exclusive = call.attributes().get_int("exclusive", 0) != 0;
  const bool reverse = call.attributes().get_int("reverse", 0) != 0;
  Tensor& y = call.output(0, x.dtype(), x.shape());
  visit_number(x.dtype(), [&]<typename T>(T) {
    cum_sum(split_at(x.shape(), axis), exclusive, reverse, x.data<T>().data(), y.mutable_data<T>().data());
  });
}

constexpr OpDef kOps[] = {
    {.op_type = "ArgMax", .run = with_16bit_floats<arg_op<std::greater<>>>},
    {.op_type = "ArgMin", .run = with_16bit_floats<arg_op<std::less<>>>},
    {.op_type = "CumSum", .run = with_16bit_floats<cum_sum_op>},
};

}  // namespace

std::span<const OpDef> scan_axis_ops() { return kOps; }

}  // namespace twofold
