// Pow (ONNX opset 15): the base gives the element type of the result, the exponent may have another.
#include <cmath>
#include <type_traits>

#include "base/parallel_for.h"
#include "loops/binary_loops.h"
#include "loops/broadcast.h"
#include "loops/dtype_dispatch.h"
#include "loops/unary_loops.h"
#include "ops/cast.h"
#include "ops/families.h"

namespace twofold {

namespace {

constexpr int64_t kGrain = 1 << 13;

// x^n by squaring: exact for integers modulo 2^bits.
template <typename T>
T power(T x, uint64_t n) {
  T result = 1;
  for (; n != 0; n >>= 1, x *= x) {
    if ((n & 1) != 0) result *= x;
  }
  return result;
}

template <typename T>
T integer_pow(T base, int64_t exponent) {
  if (exponent >= 0) return static_cast<T>(power(static_cast<uint64_t>(base), static_cast<uint64_t>(exponent)));
  if (base == 0) throw_error(ErrorCode::kInvalidArgument, "integer 0 to a negative power");
  if (base == 1) return 1;
  return base == static_cast<T>(-1) && std::is_signed_v<T> ? static_cast<T>(exponent % 2 != 0 ? -1 : 1) : T{0};
}

template <typename T>
T double_exponent_pow(T base, double exponent) {
  if (std::fabs(exponent) < 9e15 && exponent == std::trunc(exponent)) {
    const auto n = static_cast<int64_t>(exponent);
    if constexpr (std::is_integral_v<T>) {
      return integer_pow(base, n);
    } else {
      return n >= 0 ? power(base, static_cast<uint64_t>(n)) : 1.0 / power(base, static_cast<uint64_t>(-n));
    }
  }
  throw_error(ErrorCode::kUnsupported, "a {} to a power that is no integer is not supported; cast it to float32 before",
              to_string(kDTypeOf<T>));
}

// Integers and float64.
template <typename T>
void pow_number(OpCall& call, const Tensor& exponents) {
  const Tensor* inputs[] = {&call.input(0), &exponents};
  const Broadcast plan = broadcast(inputs);
  T* out = call.output(0, kDTypeOf<T>, plan.shape, plan.layout).template mutable_data<T>().data();
  const T* x = plan.inputs[0].data<T>().data();
  const bool integer = exponents.dtype() == DType::kInt64;
  const int64_t* n = integer ? plan.inputs[1].data<int64_t>().data() : nullptr;
  const double* y = integer ? nullptr : plan.inputs[1].data<double>().data();
  for_each_run(plan, kGrain, [&](const BroadcastRun& run) {
    for (int64_t i = 0; i < run.size; ++i) {
      const T base = x[run.in[0] + i * plan.step(0)];
      const int64_t at = run.in[1] + i * plan.step(1);
      if constexpr (std::is_integral_v<T>) {
        out[run.out + i] = integer ? integer_pow(base, n[at]) : double_exponent_pow(base, y[at]);
      } else {
        out[run.out + i] = double_exponent_pow(base, integer ? static_cast<double>(n[at]) : y[at]);
      }
    }
  });
}

void pow_float(OpCall& call, const Tensor& exponents) {
  const Tensor& x = call.input(0);
  if (exponents.size() == 1 && exponents.rank() <= x.rank()) {
    const float exponent = exponents.data<float>()[0];
    const UnaryOp op = exponent == 2 ? UnaryOp::kSquare : UnaryOp::kPow;
    float* out = call.output(0, DType::kFloat32, x.shape(), x.layout()).mutable_data<float>().data();
    const float* in = x.data<float>().data();
    parallel_for(x.size(), kGrain, [&](int64_t begin, int64_t end) {
      apply_unary(op, {exponent}, in + begin, out + begin, end - begin);
    });
    return;
  }
  const Tensor* inputs[] = {&x, &exponents};
  const Broadcast plan = broadcast(inputs);
  float* out = call.output(0, DType::kFloat32, plan.shape, plan.layout).mutable_data<float>().data();
  const float* a = plan.inputs[0].data<float>().data();
  const float* b = plan.inputs[1].data<float>().data();
  for_each_run(plan, kGrain, [&](const BroadcastRun& run) {
    apply_binary(BinaryOp::kPow, a + run.in[0], plan.step(0), b + run.in[1], plan.step(1), out + run.out, run.size);
  });
}

void pow_op(OpCall& call) {
  const DType base = call.input(0).dtype(), exponent = call.input(1).dtype();
  if (base == DType::kFloat32) return pow_float(call, cast(call.input(1), DType::kFloat32));
  const bool integer = visit_number(exponent, []<typename T>(T) { return std::is_integral_v<T>; });
  const Tensor exponents = cast(call.input(1), integer ? DType::kInt64 : DType::kFloat64);
  visit_number(base, [&]<typename T>(T) {
    if constexpr (!std::is_same_v<T, float>) pow_number<T>(call, exponents);
  });
}

// A 16-bit exponent leaves the type of the base alone.
void pow_any(OpCall& call) {
  const Tensor* inputs[] = {&call.input(0), nullptr};
  Tensor exponent = call.input(1);
  if (exponent.dtype() == DType::kFloat16 || exponent.dtype() == DType::kBFloat16) {
    exponent = cast(exponent, DType::kFloat32);
  }
  inputs[1] = &exponent;
  Tensor output;
  OpCall inner(call.node(), inputs, {&output, 1}, nullptr);
  run_in_float32(inner, pow_op, 1);
  call.set_output(0, std::move(output));
}

constexpr OpDef kOps[] = {{.op_type = "Pow", .run = pow_any, .any_layout = true}};

}  // namespace

std::span<const OpDef> pow_ops() { return kOps; }

}  // namespace twofold
