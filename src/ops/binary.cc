// Element-wise arithmetic of two or more broadcast inputs (ONNX opset 21; Mod and BitShift as newer ones widen them):
// float32 in SIMD loops, float16 and bfloat16 through float32, float64 and integers in plain loops. Integers wrap;
// dividing one by zero is an error.
#include <cmath>
#include <limits>
#include <type_traits>

#include "loops/binary_loops.h"
#include "loops/broadcast.h"
#include "loops/dtype_dispatch.h"
#include "ops/cast.h"
#include "ops/families.h"

namespace twofold {

namespace {

constexpr int64_t kGrain = 1 << 14;

void require_same_dtype(const Tensor& a, const Tensor& b) {
  if (a.dtype() == b.dtype()) return;
  throw_error(ErrorCode::kInvalidModel, "inputs must have one element type, but are {} and {}", to_string(a.dtype()),
              to_string(b.dtype()));
}

// Integers are computed modulo 2^bits in the unsigned type, wide enough that C++ does not promote it to signed int.
template <typename T>
using Wrapping = std::conditional_t<(sizeof(T) > 4), uint64_t, uint32_t>;

template <typename T>
T divide(T x, T y) {
  if constexpr (std::is_integral_v<T>) {
    if (y == 0) throw_error(ErrorCode::kInvalidArgument, "integer division by zero");
    if (std::is_signed_v<T> && y == static_cast<T>(-1)) return static_cast<T>(0 - static_cast<Wrapping<T>>(x));
    return static_cast<T>(x / y);
  } else {
    return x / y;
  }
}

// The remainder with the sign of the divisor, or of the dividend if `truncated` (C's fmod and %).
template <typename T>
T modulo(T x, T y, bool truncated) {
  if constexpr (std::is_integral_v<T>) {
    if (y == 0) throw_error(ErrorCode::kInvalidArgument, "integer modulo by zero");
    if (std::is_signed_v<T> && y == static_cast<T>(-1)) return 0;
    const auto rest = static_cast<T>(x % y);
    return !truncated && rest != 0 && (rest < 0) != (y < 0) ? static_cast<T>(rest + y) : rest;
  } else {
    const T rest = std::fmod(x, y);
    if (truncated) return rest;
    return rest == 0 ? std::copysign(rest, y) : (rest < 0) != (y < 0) ? rest + y : rest;
  }
}

// Shifts by a negative count or by all bits and more leave only the sign (right) or nothing (left).
template <typename T>
T shift(T x, T bits, bool left) {
  const bool within = bits >= 0 && bits < static_cast<T>(sizeof(T) * 8);
  if (left) return within ? static_cast<T>(static_cast<Wrapping<T>>(x) << bits) : T{0};
  return within ? static_cast<T>(x >> bits) : static_cast<T>(x < 0 ? -1 : 0);
}

template <typename T, typename U, typename Function>
Tensor combine(const Tensor& a, const Tensor& b, DType dtype, const Function& function) {
  const Tensor* inputs[] = {&a, &b};
  const Broadcast plan = broadcast(inputs);
  Tensor result(dtype, plan.shape, plan.layout);
  const T* x = plan.inputs[0].data<T>().data();
  const T* y = plan.inputs[1].data<T>().data();
  U* out = result.mutable_data<U>().data();
  for_each_run(plan, kGrain, [&](const BroadcastRun& run) {
    const int64_t x_step = plan.step(0), y_step = plan.step(1);
    const T *x_row = x + run.in[0], *y_row = y + run.in[1];
    for (int64_t i = 0; i < run.size; ++i) out[run.out + i] = function(x_row[i * x_step], y_row[i * y_step]);
  });
  return result;
}

template <typename T>
Tensor combine_numbers(BinaryOp op, const Tensor& a, const Tensor& b) {
  const auto run = [&](const auto& function) { return combine<T, T>(a, b, a.dtype(), function); };
  using W = std::conditional_t<std::is_integral_v<T>, Wrapping<T>, T>;
  const auto wrap = [&](const auto& function) {
    return run([&](T x, T y) { return static_cast<T>(function(static_cast<W>(x), static_cast<W>(y))); });
  };
  switch (op) {
    case BinaryOp::kAdd: return wrap([](W x, W y) { return x + y; });
    case BinaryOp::kSub: return wrap([](W x, W y) { return x - y; });
    case BinaryOp::kMul: return wrap([](W x, W y) { return x * y; });
    case BinaryOp::kDiv: return run([](T x, T y) { return divide(x, y); });
    case BinaryOp::kFmod: return run([](T x, T y) { return modulo(x, y, true); });
    case BinaryOp::kMod: return run([](T x, T y) { return modulo(x, y, false); });
    case BinaryOp::kMax: return run([](T x, T y) { return x > y || x != x ? x : y; });
    case BinaryOp::kMin: return run([](T x, T y) { return x < y || x != x ? x : y; });
    case BinaryOp::kPRelu: return wrap([](W x, W y) { return static_cast<T>(x) < T{0} ? x * y : x; });
    case BinaryOp::kPow: break;
  }
  throw_error(ErrorCode::kUnsupported, "input of type {} is not supported; cast it to float32 before",
              to_string(a.dtype()));
}

Tensor combine_floats(BinaryOp op, const Tensor& a, const Tensor& b) {
  const Tensor* inputs[] = {&a, &b};
  const Broadcast plan = broadcast(inputs);
  Tensor result(DType::kFloat32, plan.shape, plan.layout);
  const float* x = plan.inputs[0].data<float>().data();
  const float* y = plan.inputs[1].data<float>().data();
  float* out = result.mutable_data<float>().data();
  for_each_run(plan, kGrain, [&](const BroadcastRun& run) {
    apply_binary(op, x + run.in[0], plan.step(0), y + run.in[1], plan.step(1), out + run.out, run.size);
  });
  return result;
}

Tensor combine(BinaryOp op, const Tensor& a, const Tensor& b) {
  require_same_dtype(a, b);
  if (a.dtype() == DType::kFloat32) return combine_floats(op, a, b);
  return visit_number(a.dtype(), [&]<typename T>(T) { return combine_numbers<T>(op, a, b); });
}

template <BinaryOp op>
void binary(OpCall& call) {
  call.set_output(0, combine(op, call.input(0), call.input(1)));
}

void prelu(OpCall& call) {
  const Tensor &x = call.input(0), &slope = call.input(1);
  if (broadcast_shape(x.shape(), slope.shape()) != x.shape()) {
    throw_error(ErrorCode::kInvalidModel, "slope shape {} does not broadcast to input shape {}",
                to_string(slope.shape()), to_string(x.shape()));
  }
  binary<BinaryOp::kPRelu>(call);
}

void mod(OpCall& call) {
  const bool truncated = call.attributes().get_int("fmod", 0) != 0;
  truncated ? binary<BinaryOp::kFmod>(call) : binary<BinaryOp::kMod>(call);
}

template <BinaryOp op>
Tensor fold(const OpCall& call) {
  Tensor result = call.input(0);
  for (int i = 1; i < call.num_inputs(); ++i) result = combine(op, result, call.input(i));
  return result;
}

template <BinaryOp op>
void variadic(OpCall& call) {
  call.set_output(0, fold<op>(call));
}

void mean(OpCall& call) {
  const Tensor sum = fold<BinaryOp::kAdd>(call);
  const Tensor count = cast(Tensor::scalar(static_cast<float>(call.num_inputs())), sum.dtype());
  call.set_output(0, combine(BinaryOp::kDiv, sum, count));
}

void bit_shift(OpCall& call) {
  const std::string direction = call.attributes().get_string("direction", "");
  if (direction != "LEFT" && direction != "RIGHT") {
    throw_error(ErrorCode::kInvalidModel, "attribute direction is \"{}\", not \"LEFT\" or \"RIGHT\"", direction);
  }
  const bool left = direction == "LEFT";
  const Tensor &a = call.input(0), &b = call.input(1);
  require_same_dtype(a, b);
  visit_integer(a.dtype(), [&]<typename T>(T) {
    call.set_output(0, combine<T, T>(a, b, a.dtype(), [=](T x, T y) { return shift(x, y, left); }));
  });
}

constexpr OpDef kOps[] = {
    {.op_type = "Add", .run = with_16bit_floats<binary<BinaryOp::kAdd>>, .any_layout = true},
    {.op_type = "Sub", .run = with_16bit_floats<binary<BinaryOp::kSub>>, .any_layout = true},
    {.op_type = "Mul", .run = with_16bit_floats<binary<BinaryOp::kMul>>, .any_layout = true},
    {.op_type = "Div", .run = with_16bit_floats<binary<BinaryOp::kDiv>>, .any_layout = true},
    {.op_type = "Mod", .run = with_16bit_floats<mod>, .any_layout = true},
    {.op_type = "PRelu", .run = with_16bit_floats<prelu>, .any_layout = true},
    {.op_type = "Max", .run = with_16bit_floats<variadic<BinaryOp::kMax>>, .any_layout = true},
    {.op_type = "Min", .run = with_16bit_floats<variadic<BinaryOp::kMin>>, .any_layout = true},
    {.op_type = "Sum", .run = with_16bit_floats<variadic<BinaryOp::kAdd>>, .any_layout = true},
    {.op_type = "Mean", .run = with_16bit_floats<mean>, .any_layout = true},
    {.op_type = "BitShift", .run = bit_shift, .any_layout = true},
};

}  // namespace

std::span<const OpDef> binary_ops() { return kOps; }

}  // namespace twofold
