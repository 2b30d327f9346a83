// Comparison, logic and selection of broadcast inputs (ONNX opset 21): Equal, Less, ..., And, BitwiseAnd, Where.
#include "loops/broadcast.h"
#include "loops/dtype_dispatch.h"
#include "loops/element.h"
#include "ops/cast.h"
#include "ops/families.h"

namespace twofold {

namespace {

constexpr int64_t kGrain = 1 << 15;

template <typename T, typename U, typename Function>
void combine(OpCall& call, DType dtype, const Function& function) {
  const Tensor* inputs[] = {&call.input(0), &call.input(1)};
  const Broadcast plan = broadcast(inputs);
  const T* x = plan.inputs[0].data<T>().data();
  const T* y = plan.inputs[1].data<T>().data();
  U* out = call.output(0, dtype, plan.shape, plan.layout).mutable_data<U>().data();
  for_each_run(plan, kGrain, [&](const BroadcastRun& run) {
    const int64_t x_step = plan.step(0), y_step = plan.step(1);
    const T *x_row = x + run.in[0], *y_row = y + run.in[1];
    for (int64_t i = 0; i < run.size; ++i) {
      out[run.out + i] = static_cast<U>(function(x_row[i * x_step], y_row[i * y_step]));
    }
  });
}

void require_same_dtype(const OpCall& call) {
  const DType a = call.input(0).dtype(), b = call.input(1).dtype();
  if (a != b) {
    throw_error(ErrorCode::kInvalidModel, "inputs must have one element type, but are {} and {}", to_string(a),
                to_string(b));
  }
}

template <typename Compare>
void compare(OpCall& call) {
  require_same_dtype(call);
  const DType dtype = call.input(0).dtype();
  visit_number(
      dtype, [&]<typename T>(T) { combine<T, uint8_t>(call, DType::kBool, [](T x, T y) { return Compare()(x, y); }); });
}

template <typename Function>
void logical(OpCall& call) {
  for (int i : {0, 1}) {
    if (call.input(i).dtype() != DType::kBool) {
      throw_error(ErrorCode::kInvalidModel, "input {} must be bool, but is {}", i, to_string(call.input(i).dtype()));
    }
  }
  combine<uint8_t, uint8_t>(call, DType::kBool, [](uint8_t x, uint8_t y) { return Function()(x != 0, y != 0); });
}

void equal(OpCall& call) {
  if (call.input(0).dtype() == DType::kBool) return logical<std::equal_to<>>(call);
  compare<std::equal_to<>>(call);
}

template <typename Function>
void bitwise(OpCall& call) {
  require_same_dtype(call);
  const DType dtype = call.input(0).dtype();
  visit_integer(dtype, [&]<typename T>(T) { combine<T, T>(call, dtype, Function()); });
}

template <typename T>
void where_words(const Broadcast& plan, Tensor& result) {
  const uint8_t* condition = plan.inputs[0].data<uint8_t>().data();
  const T *x = words<T>(plan.inputs[1]), *y = words<T>(plan.inputs[2]);
  T* out = mutable_words<T>(result);
  for_each_run(plan, kGrain, [&](const BroadcastRun& run) {
    const int64_t c_step = plan.step(0), x_step = plan.step(1), y_step = plan.step(2);
    const uint8_t* c_row = condition + run.in[0];
    const T *x_row = x + run.in[1], *y_row = y + run.in[2];
    for (int64_t i = 0; i < run.size; ++i) {
      out[run.out + i] = c_row[i * c_step] != 0 ? x_row[i * x_step] : y_row[i * y_step];
    }
  });
}

void where(OpCall& call) {
  const Tensor &condition = call.input(0), &x = call.input(1), &y = call.input(2);
  if (condition.dtype() != DType::kBool) {
    throw_error(ErrorCode::kInvalidModel, "condition must be bool, but is {}", to_string(condition.dtype()));
  }
  if (x.dtype() != y.dtype()) {
    throw_error(ErrorCode::kInvalidModel, "inputs 1 and 2 must have one element type, but are {} and {}",
                to_string(x.dtype()), to_string(y.dtype()));
  }
  const Tensor* inputs[] = {&condition, &x, &y};
  const Broadcast plan = broadcast(inputs);
  Tensor& result = call.output(0, x.dtype(), plan.shape, plan.layout);
  with_word(byte_size(x.dtype()), [&]<typename T>() { where_words<T>(plan, result); });
}

constexpr OpDef kOps[] = {
    {.op_type = "Equal", .run = with_16bit_floats<equal>, .any_layout = true},
    {.op_type = "Less", .run = with_16bit_floats<compare<std::less<>>>, .any_layout = true},
    {.op_type = "LessOrEqual", .run = with_16bit_floats<compare<std::less_equal<>>>, .any_layout = true},
    {.op_type = "Greater", .run = with_16bit_floats<compare<std::greater<>>>, .any_layout = true},
    {.op_type = "GreaterOrEqual", .run = with_16bit_floats<compare<std::greater_equal<>>>, .any_layout = true},
    {.op_type = "And", .run = logical<std::logical_and<>>, .any_layout = true},
    {.op_type = "Or", .run = logical<std::logical_or<>>, .any_layout = true},
    {.op_type = "Xor", .run = logical<std::not_equal_to<>>, .any_layout = true},
    {.op_type = "BitwiseAnd", .run = bitwise<std::bit_and<>>, .any_layout = true},
    {.op_type = "BitwiseOr", .run = bitwise<std::bit_or<>>, .any_layout = true},
    {.op_type = "BitwiseXor", .run = bitwise<std::bit_xor<>>, .any_layout = true},
    {.op_type = "Where", .run = where, .any_layout = true},
};

}  // namespace

std::span<const OpDef> compare_ops() { return kOps; }

}  // namespace twofold
