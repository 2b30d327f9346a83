// Element-wise operators of one input (ONNX opset 21, Swish from 24): float32 in SIMD loops, float16 and bfloat16
// through float32, float64 and integers in plain loops where the standard has them.
#include <cmath>
#include <limits>
#include <type_traits>

#include "base/parallel_for.h"
#include "loops/dtype_dispatch.h"
#include "loops/unary_loops.h"
#include "numeric/quantize.h"
#include "ops/cast.h"
#include "ops/families.h"
#include "ops/unary_step.h"

namespace twofold {

namespace {

constexpr int64_t kGrain = 1 << 14;

Tensor& output_like(OpCall& call, const Tensor& x) { return call.output(0, x.dtype(), x.shape(), x.layout()); }

void run_float(OpCall& call, UnaryOp op, const UnaryParams& params) {
  const Tensor& x = call.input(0);
  const float* in = x.data<float>().data();
  float* out = output_like(call, x).mutable_data<float>().data();
  parallel_for(x.size(), kGrain,
               [&](int64_t begin, int64_t end) { apply_unary(op, params, in + begin, out + begin, end - begin); });
}

template <typename T, typename Function>
void run_plain(OpCall& call, const Function& function) {
  const Tensor& x = call.input(0);
  const std::span<const T> in = x.data<T>();
  const std::span<T> out = output_like(call, x).mutable_data<T>();
  for (size_t i = 0; i < in.size(); ++i) out[i] = function(in[i]);
}

// Arithmetic that wraps: the negative of the smallest integer is itself.
template <typename T>
T negative(T x) {
  if constexpr (std::is_integral_v<T>) {
    return static_cast<T>(0 - static_cast<std::make_unsigned_t<T>>(x));
  } else {
    return -x;
  }
}

// What the standard defines for integers and float64.
template <typename T>
void run_number(OpCall& call, UnaryOp op, const UnaryParams& params) {
  switch (op) {
    case UnaryOp::kAbs: return run_plain<T>(call, [](T x) { return x < T{0} ? negative(x) : x; });
    case UnaryOp::kNeg: return run_plain<T>(call, [](T x) { return negative(x); });
    case UnaryOp::kRelu: return run_plain<T>(call, [](T x) { return x < T{0} ? T{0} : x; });
    case UnaryOp::kSign:
      return run_plain<T>(call, [](T x) { return x > T{0} ? T{1} : x < T{0} ? static_cast<T>(-1) : x; });
    default: break;
  }
  if constexpr (std::is_same_v<T, double>) {
    const double alpha = params.alpha, beta = params.beta;
    switch (op) {
      case UnaryOp::kSqrt: return run_plain<T>(call, [](T x) { return std::sqrt(x); });
      case UnaryOp::kReciprocal: return run_plain<T>(call, [](T x) { return 1.0 / x; });
      case UnaryOp::kFloor: return run_plain<T>(call, [](T x) { return std::floor(x); });
      case UnaryOp::kCeil: return run_plain<T>(call, [](T x) { return std::ceil(x); });
      case UnaryOp::kRound: return run_plain<T>(call, [](T x) { return std::copysign(round_half_even(x), x); });
      case UnaryOp::kLeakyRelu: return run_plain<T>(call, [=](T x) { return x < 0 ? alpha * x : x; });
      case UnaryOp::kThresholdedRelu: return run_plain<T>(call, [=](T x) { return x <= alpha ? 0.0 : x; });
      case UnaryOp::kSoftsign: return run_plain<T>(call, [](T x) { return x / (1.0 + std::fabs(x)); });
      case UnaryOp::kHardSigmoid:
        return run_plain<T>(call, [=](T x) { return std::fmin(std::fmax(alpha * x + beta, 0.0), 1.0); });
      default: break;
    }
  }
  throw_error(ErrorCode::kUnsupported, "input of type {} is not supported; cast it to float32 before",
              to_string(call.input(0).dtype()));
}

template <UnaryOp op>
void run_typed(OpCall& call) {
  const UnaryParams params = unary_params(op, call.node().op_type, call.attributes());
  const DType dtype = call.input(0).dtype();
  if (dtype == DType::kFloat32) return run_float(call, op, params);
  visit_number(dtype, [&]<typename T>(T) { run_number<T>(call, op, params); });
}

template <UnaryOp op>
void unary(OpCall& call) {
  run_in_float32(call, run_typed<op>, 1);
}

void gelu(OpCall& call) {
  const std::string approximate = call.attributes().get_string("approximate", "none");
  if (approximate == "none") return unary<UnaryOp::kGelu>(call);
  if (approximate == "tanh") return unary<UnaryOp::kGeluTanh>(call);
  throw_error(ErrorCode::kInvalidModel, "attribute approximate is \"{}\", not \"none\" or \"tanh\"", approximate);
}

template <typename T>
T bound(const OpCall& call, int i, T fallback) {
  if (!call.has_input(i)) return fallback;
  const Tensor& tensor = call.input(i);
  if (tensor.size() != 1) {
    throw_error(ErrorCode::kInvalidModel, "input {} must be a scalar, but has shape {}", i, to_string(tensor.shape()));
  }
  return tensor.data<T>()[0];
}

template <typename T>
void clip_number(OpCall& call) {
  constexpr bool kFloat = std::is_floating_point_v<T>;
  using Limits = std::numeric_limits<T>;
  const T low = bound<T>(call, 1, kFloat ? -Limits::infinity() : Limits::lowest());
  const T high = bound<T>(call, 2, kFloat ? Limits::infinity() : Limits::max());
  if constexpr (std::is_same_v<T, float>) {
    run_float(call, UnaryOp::kClip, {low, high});
  } else {
    run_plain<T>(call, [=](T x) {
      x = x < low ? low : x;
      return x > high ? high : x;
    });
  }
}

void clip_typed(OpCall& call) {
  visit_number(call.input(0).dtype(), [&]<typename T>(T) { clip_number<T>(call); });
}

void logical_not(OpCall& call) {
  const Tensor& x = call.input(0);
  if (x.dtype() != DType::kBool) {
    throw_error(ErrorCode::kInvalidModel, "input must be bool, but is {}", to_string(x.dtype()));
  }
  run_plain<uint8_t>(call, [](uint8_t v) { return static_cast<uint8_t>(v == 0); });
}

void bitwise_not(OpCall& call) {
  visit_integer(call.input(0).dtype(),
                [&]<typename T>(T) { run_plain<T>(call, [](T x) { return static_cast<T>(~x); }); });
}

template <typename Test>
void run_test(OpCall& call, const Test& test) {
  const Tensor& x = call.input(0);
  const auto run = [&]<typename T>(T) {
    const std::span<const T> in = x.data<T>();
    const std::span<uint8_t> out = call.output(0, DType::kBool, x.shape(), x.layout()).mutable_data<uint8_t>();
    for (size_t i = 0; i < in.size(); ++i) out[i] = test(in[i]);
  };
  if (x.dtype() == DType::kFloat64) return run(double{});
  run(float{});
}

void is_nan(OpCall& call) {
  run_test(call, [](auto x) { return x != x; });
}

void is_inf(OpCall& call) {
  const bool negative = call.attributes().get_int("detect_negative", 1) != 0;
  const bool positive = call.attributes().get_int("detect_positive", 1) != 0;
  run_test(call, [=](auto x) { return std::isinf(x) && (x > 0 ? positive : negative); });
}

constexpr OpDef kOps[] = {
    {.op_type = "Abs", .run = unary<UnaryOp::kAbs>, .any_layout = true},
    {.op_type = "Neg", .run = unary<UnaryOp::kNeg>, .any_layout = true},
    {.op_type = "Relu", .run = unary<UnaryOp::kRelu>, .any_layout = true},
    {.op_type = "Sigmoid", .run = unary<UnaryOp::kSigmoid>, .any_layout = true},
    {.op_type = "Tanh", .run = unary<UnaryOp::kTanh>, .any_layout = true},
    {.op_type = "Exp", .run = unary<UnaryOp::kExp>, .any_layout = true},
    {.op_type = "Log", .run = unary<UnaryOp::kLog>, .any_layout = true},
    {.op_type = "Sqrt", .run = unary<UnaryOp::kSqrt>, .any_layout = true},
    {.op_type = "Reciprocal", .run = unary<UnaryOp::kReciprocal>, .any_layout = true},
    {.op_type = "Erf", .run = unary<UnaryOp::kErf>, .any_layout = true},
    {.op_type = "Floor", .run = unary<UnaryOp::kFloor>, .any_layout = true},
    {.op_type = "Ceil", .run = unary<UnaryOp::kCeil>, .any_layout = true},
    {.op_type = "Round", .run = unary<UnaryOp::kRound>, .any_layout = true},
    {.op_type = "Sign", .run = unary<UnaryOp::kSign>, .any_layout = true},
    {.op_type = "Sin", .run = unary<UnaryOp::kSin>, .any_layout = true},
    {.op_type = "Cos", .run = unary<UnaryOp::kCos>, .any_layout = true},
    {.op_type = "Tan", .run = unary<UnaryOp::kTan>, .any_layout = true},
    {.op_type = "Asin", .run = unary<UnaryOp::kAsin>, .any_layout = true},
    {.op_type = "Acos", .run = unary<UnaryOp::kAcos>, .any_layout = true},
    {.op_type = "Atan", .run = unary<UnaryOp::kAtan>, .any_layout = true},
    {.op_type = "Sinh", .run = unary<UnaryOp::kSinh>, .any_layout = true},
    {.op_type = "Cosh", .run = unary<UnaryOp::kCosh>, .any_layout = true},
    {.op_type = "Asinh", .run = unary<UnaryOp::kAsinh>, .any_layout = true},
    {.op_type = "Acosh", .run = unary<UnaryOp::kAcosh>, .any_layout = true},
    {.op_type = "Atanh", .run = unary<UnaryOp::kAtanh>, .any_layout = true},
    {.op_type = "HardSigmoid", .run = unary<UnaryOp::kHardSigmoid>, .any_layout = true},
    {.op_type = "HardSwish", .run = unary<UnaryOp::kHardSwish>, .any_layout = true},
    {.op_type = "LeakyRelu", .run = unary<UnaryOp::kLeakyRelu>, .any_layout = true},
    {.op_type = "Elu", .run = unary<UnaryOp::kElu>, .any_layout = true},
    {.op_type = "Selu", .run = unary<UnaryOp::kElu>, .any_layout = true},
    {.op_type = "Celu", .run = unary<UnaryOp::kElu>, .any_layout = true},
    {.op_type = "ThresholdedRelu", .run = unary<UnaryOp::kThresholdedRelu>, .any_layout = true},
    {.op_type = "Softplus", .run = unary<UnaryOp::kSoftplus>, .any_layout = true},
    {.op_type = "Softsign", .run = unary<UnaryOp::kSoftsign>, .any_layout = true},
    {.op_type = "Mish", .run = unary<UnaryOp::kMish>, .any_layout = true},
    {.op_type = "Gelu", .run = gelu, .any_layout = true},
    {.op_type = "Swish", .run = unary<UnaryOp::kSwish>, .any_layout = true},
    {.op_type = "Shrink", .run = unary<UnaryOp::kShrink>, .any_layout = true},
    {.op_type = "Clip", .run = with_16bit_floats<clip_typed>, .any_layout = true},
    {.op_type = "Not", .run = logical_not, .any_layout = true},
    {.op_type = "BitwiseNot", .run = bitwise_not, .any_layout = true},
    {.op_type = "IsNaN", .run = with_16bit_floats<is_nan>, .any_layout = true},
    {.op_type = "IsInf", .run = with_16bit_floats<is_inf>, .any_layout = true},
};

}  // namespace

std::span<const OpDef> unary_ops() { return kOps; }

}  // namespace twofold
