// The QOperator form: operators on quantized tensors become DequantizeLinear -> operator -> QuantizeLinear, which means
// the same. The operator keeps the node's name.
#include "base/error.h"
#include "onnx/upgrade.h"

namespace twofold {

namespace {

struct Quantized {
  ValueId value, scale, zero_point;
};

Quantized quantized_input(const Upgrade& u, int first) {
  const Quantized q = {u.input(first), u.input(first + 1), u.input(first + 2)};
  if (q.value == kNone || q.scale == kNone) {
    throw_error(ErrorCode::kInvalidModel, "input {} or its scale is missing", first);
  }
  return q;
}

ValueId dequantize(Upgrade& u, const std::string& word, const Quantized& q, int64_t axis = 1) {
  const Tensor* scale = u.graph().constant(q.scale);
  if (scale != nullptr && scale->rank() > 1) {
    throw_error(ErrorCode::kUnsupported, "a scale of shape {} is not supported", to_string(scale->shape()));
  }
  Attributes attributes;
  attributes.set("axis", axis);
  std::vector<ValueId> inputs = {q.value, q.scale};
  if (q.zero_point != kNone) inputs.push_back(q.zero_point);
  const ValueId real = u.emit(word, "DequantizeLinear", std::move(inputs), std::move(attributes));
  u.graph().set_type(real, {u.graph().value(q.scale).type.dtype, u.graph().value(q.value).type.shape});
  return real;
}

// The type of the zero point is that of the result, so one is made up where the node has none.
ValueId zero_like(Upgrade& u, const Quantized& like) {
  DType dtype = u.graph().value(like.value).type.dtype;
  if (dtype == DType::kUndefined && like.zero_point != kNone) dtype = u.graph().value(like.zero_point).type.dtype;
  if (dtype == DType::kInt8) return u.constant("zero_point", Tensor::scalar(int8_t{0}));
  return u.constant("zero_point", Tensor::scalar(uint8_t{0}));
}

void quantize_output(Upgrade& u, ValueId scale, ValueId zero_point, const Quantized& like) {
  if (scale == kNone) throw_error(ErrorCode::kInvalidModel, "the scale of the output is missing");
  u.append("quantize", "QuantizeLinear", {scale, zero_point != kNone ? zero_point : zero_like(u, like)});
}

// alpha * a * b, computed here where both are constants.
ValueId scale_product(Upgrade& u, float alpha, ValueId a, ValueId b) {
  const Tensor *first = u.graph().constant(a), *second = u.graph().constant(b);
  if (first == nullptr || second == nullptr) {
    const ValueId product = u.emit("bias_scale", "Mul", {a, b});
    return alpha == 1.0F ? product : u.emit("bias_scale_alpha", "Mul", {product, u.scalar("alpha", alpha, kNone)});
  }
  if (first->size() != 1) throw_error(ErrorCode::kUnsupported, "input 0 must have one scale, not {}", first->size());
  const float factor = first->data<float>()[0];
  const std::span<const float> factors = second->data<float>();
  std::vector<float> product;
  for (float f : factors) product.push_back(alpha * (factor * f));
  return u.constant("bias_scale", Tensor::from<float>(second->shape(), product));
}

void qlinear_conv(Upgrade& u) {
  if (u.attributes().get_int("channels_last", 0) != 0) {
    throw_error(ErrorCode::kUnsupported, "channels_last = 1 is not supported");
  }
  u.attributes().erase("channels_last");
  const Quantized x = quantized_input(u, 0), w = quantized_input(u, 3);
  const ValueId scale = u.input(6), zero_point = u.input(7), bias = u.input(8);
  std::vector<ValueId> inputs = {dequantize(u, "x_dequantize", x), dequantize(u, "w_dequantize", w, 0)};
  if (bias != kNone) {
    const ValueId bias_scale = scale_product(u, 1.0F, x.scale, w.scale);
    inputs.push_back(dequantize(u, "b_dequantize", {bias, bias_scale, kNone}, 0));
  }
  u.become("Conv", std::move(inputs));
  quantize_output(u, scale, zero_point, x);
}

// Scales may be per row of A and per column of B.
void qlinear_matmul(Upgrade& u) {
  const Quantized a = quantized_input(u, 0), b = quantized_input(u, 3);
  const ValueId scale = u.input(6), zero_point = u.input(7);
  u.become("MatMul", {dequantize(u, "a_dequantize", a, -2), dequantize(u, "b_dequantize", b, -1)});
  quantize_output(u, scale, zero_point, a);
}

// C is int32 in units of alpha * scale of A * scale of B. Without a scale the result is float.
void qgemm(Upgrade& u) {
  const Quantized a = quantized_input(u, 0), b = quantized_input(u, 3);
  const ValueId c = u.input(6), scale = u.input(7), zero_point = u.input(8);
  const int64_t column_axis = u.attributes().get_int("transB", 0) == 0 ? 1 : 0;
  std::vector<ValueId> inputs = {dequantize(u, "a_dequantize", a), dequantize(u, "b_dequantize", b, column_axis)};
  if (c != kNone) {
    const ValueId c_scale = scale_product(u, u.attributes().get_float("alpha", 1.0F), a.scale, b.scale);
    inputs.push_back(dequantize(u, "c_dequantize", {c, c_scale, kNone}, -1));
  }
  u.become("Gemm", std::move(inputs));
  if (scale != kNone) quantize_output(u, scale, zero_point, a);
}

template <const char* kOpType>
void binary(Upgrade& u) {
  const Quantized a = quantized_input(u, 0), b = quantized_input(u, 3);
  const ValueId scale = u.input(6), zero_point = u.input(7);
  u.become(kOpType, {dequantize(u, "a_dequantize", a), dequantize(u, "b_dequantize", b)});
  quantize_output(u, scale, zero_point, a);
}

template <const char* kOpType>
void unary(Upgrade& u) {
  if (u.attributes().get_int("channels_last", 0) != 0) {
    throw_error(ErrorCode::kUnsupported, "channels_last = 1 is not supported");
  }
  u.attributes().erase("channels_last");
  const Quantized x = quantized_input(u, 0);
  const ValueId scale = u.input(3), zero_point = u.input(4);
  u.become(kOpType, {dequantize(u, "x_dequantize", x)});
  quantize_output(u, scale, zero_point, x);
}

constexpr char kAdd[] = "Add", kMul[] = "Mul", kSigmoid[] = "Sigmoid", kLeakyRelu[] = "LeakyRelu",
               kSoftmax[] = "Softmax", kAveragePool[] = "AveragePool", kGlobalAveragePool[] = "GlobalAveragePool",
               kReduceMean[] = "ReduceMean";

// Its attribute `opset` says which Softmax is meant.
void softmax(Upgrade& u) {
  const int64_t opset = u.attributes().get_int("opset", 13);
  u.attributes().erase("opset");
  unary<kSoftmax>(u);
  upgrade_node(u.graph(), u.id(), opset);
}

void reduce_mean(Upgrade& u) {
  unary<kReduceMean>(u);
  u.ints_to_input("axes", 1);
}

void concat(Upgrade& u) {
  const ValueId scale = u.input(0), zero_point = u.input(1);
  const auto count = static_cast<int>(u.node().inputs.size());
  if (count < 5) throw_error(ErrorCode::kInvalidModel, "the node has only {} inputs", count);
  const Quantized first = quantized_input(u, 2);
  std::vector<ValueId> inputs;
  for (int i = 2; i < count; i += 3) {
    inputs.push_back(dequantize(u, fmt::format("x{}_dequantize", (i - 2) / 3), quantized_input(u, i)));
  }
  u.become("Concat", std::move(inputs));
  quantize_output(u, scale, zero_point, first);
}

void where(Upgrade& u) {
  const Quantized x = quantized_input(u, 1), y = quantized_input(u, 4);
  const ValueId scale = u.input(7), zero_point = u.input(8);
  u.become("Where", {u.input(0), dequantize(u, "x_dequantize", x), dequantize(u, "y_dequantize", y)});
  quantize_output(u, scale, zero_point, x);
}

constexpr UpgradeRule kRules[] = {
    {"QLinearConv", kAlways, qlinear_conv, "qfqqfqfqq?"},
    {"QLinearMatMul", kAlways, qlinear_matmul, "qfqqfqfq"},
    {"QLinearConv", kAlways, qlinear_conv, "qfq?qfq?fq?q?", kMicrosoft},
    {"QGemm", kAlways, qgemm, "qfq?qfq?q?f?q?", kMicrosoft},
    {"QLinearAdd", kAlways, binary<kAdd>, "qfq?qfq?fq?", kMicrosoft},
    {"QLinearMul", kAlways, binary<kMul>, "qfq?qfq?fq?", kMicrosoft},
    {"QLinearSigmoid", kAlways, unary<kSigmoid>, "qfq?fq?", kMicrosoft},
    {"QLinearLeakyRelu", kAlways, unary<kLeakyRelu>, "qfq?fq?", kMicrosoft},
    {"QLinearAveragePool", kAlways, unary<kAveragePool>, "qfq?fq?", kMicrosoft},
    {"QLinearGlobalAveragePool", kAlways, unary<kGlobalAveragePool>, "qfq?fq?", kMicrosoft},
    {"QLinearReduceMean", kAlways, reduce_mean, "qfq?fq?", kMicrosoft},
    {"QLinearSoftmax", kAlways, softmax, "qfq?fq?", kMicrosoft},
    {"QLinearConcat", kAlways, concat, "fq?a~", kMicrosoft},
    {"QLinearWhere", kAlways, where, "bqfq?qfq?fq?", kMicrosoft},
};

}  // namespace

std::span<const UpgradeRule> qoperator_rules() { return kRules; }

}  // namespace twofold
