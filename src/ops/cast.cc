// Cast and CastLike (ONNX opset 21) between all element types that Twofold computes with.
#include "ops/cast.h"

#include <limits>
#include <type_traits>

#include "base/parallel_for.h"
#include "loops/dtype_dispatch.h"
#include "numeric/float16.h"
#include "ops/families.h"

namespace twofold {

namespace {

constexpr int64_t kGrain = 1 << 16;

// Element types that C++ lacks, by their bits.
struct Float16 {
  uint16_t bits;
};
struct BFloat16 {
  uint16_t bits;
};
struct Bool {
  uint8_t value;
};

template <typename To, typename From>
To convert(From x) {
  if constexpr (std::is_same_v<From, Float16>) {
    return convert<To>(float16_to_float(x.bits));
  } else if constexpr (std::is_same_v<From, BFloat16>) {
    return convert<To>(bfloat16_to_float(x.bits));
  } else if constexpr (std::is_same_v<From, Bool>) {
    return convert<To>(static_cast<uint8_t>(x.value != 0));
  } else if constexpr (std::is_same_v<To, Float16>) {
    return {float_to_float16(static_cast<float>(x))};
  } else if constexpr (std::is_same_v<To, BFloat16>) {
    return {float_to_bfloat16(static_cast<float>(x))};
  } else if constexpr (std::is_same_v<To, Bool>) {
    return {static_cast<uint8_t>(x != 0)};
  } else if constexpr (std::is_floating_point_v<From> && std::is_integral_v<To>) {
    // The largest value plus one is a power of two, so exact in From; not so the largest value itself.
    constexpr From kLow = static_cast<From>(std::numeric_limits<To>::min());
    constexpr From kEnd = static_cast<From>(std::numeric_limits<To>::max() / 2 + 1) * 2;
    if (x != x) return 0;
    if (x < kLow) return std::numeric_limits<To>::min();
    return x >= kEnd ? std::numeric_limits<To>::max() : static_cast<To>(x);
  } else {
    return static_cast<To>(x);
  }
}

// Calls body(T{}) with the C++ type that holds an element of `dtype`.
template <typename Body>
void visit_storage(DType dtype, Body&& body) {
  switch (dtype) {
    case DType::kFloat16: return body(Float16{});
    case DType::kBFloat16: return body(BFloat16{});
    case DType::kBool: return body(Bool{});
    default: return visit_number(dtype, body);
  }
}

bool is_16bit_float(DType dtype) { return dtype == DType::kFloat16 || dtype == DType::kBFloat16; }

void cast_op(OpCall& call) {
  const int64_t to = call.attributes().get_int("to");
  const auto dtype = static_cast<DType>(to);
  if (to < 0 || to > 100 || !is_known(dtype)) {
    throw_error(ErrorCode::kUnsupported, "casting to ONNX data type {} is not supported", to);
  }
  call.set_output(0, cast(call.input(0), dtype));
}

void cast_like(OpCall& call) { call.set_output(0, cast(call.input(0), call.input(1).dtype())); }

constexpr OpDef kOps[] = {
    {.op_type = "Cast", .run = cast_op, .any_layout = true},
    {.op_type = "CastLike", .run = cast_like, .any_layout = true},
};

}  // namespace

Tensor cast(const Tensor& tensor, DType dtype) {
  if (tensor.dtype() == dtype) return tensor;
  Tensor result(dtype, tensor.shape(), tensor.layout());
  visit_storage(tensor.dtype(), [&]<typename From>(From) {
    visit_storage(dtype, [&]<typename To>(To) {
      const auto* in = reinterpret_cast<const From*>(tensor.bytes());
      auto* out = reinterpret_cast<To*>(result.mutable_bytes());
      parallel_for(tensor.size(), kGrain, [=](int64_t begin, int64_t end) {
        for (int64_t i = begin; i < end; ++i) out[i] = convert<To>(in[i]);
      });
    });
  });
  return result;
}

void run_in_float32(OpCall& call, void (*run)(OpCall& call), int narrow_outputs) {
  DType narrow = DType::kUndefined;
  for (int i = 0; i < call.num_inputs(); ++i) {
    if (call.has_input(i) && is_16bit_float(call.input(i).dtype())) narrow = call.input(i).dtype();
  }
  if (narrow == DType::kUndefined) return run(call);
  std::vector<Tensor> wide(static_cast<size_t>(call.num_inputs()));
  std::vector<const Tensor*> inputs(wide.size(), nullptr);
  for (int i = 0; i < call.num_inputs(); ++i) {
    if (!call.has_input(i)) continue;
    Tensor& input = wide[static_cast<size_t>(i)];
    input = is_16bit_float(call.input(i).dtype()) ? cast(call.input(i), DType::kFloat32) : call.input(i);
    inputs[static_cast<size_t>(i)] = &input;
  }
  std::vector<Tensor> outputs(static_cast<size_t>(call.num_outputs()));
  OpCall inner(call.node(), inputs, outputs, nullptr);
  run(inner);
  for (int i = 0; i < call.num_outputs(); ++i) {
    Tensor& output = outputs[static_cast<size_t>(i)];
    if (!output.defined()) continue;
    const bool narrows = i < narrow_outputs && output.dtype() == DType::kFloat32;
    call.set_output(i, narrows ? cast(output, narrow) : std::move(output));
  }
}

std::span<const OpDef> cast_ops() { return kOps; }

}  // namespace twofold
