// com.microsoft: what ONNX Runtime's optimizer fuses, taken apart into ONNX's operators.
#include "base/error.h"
#include "onnx/upgrade.h"

namespace twofold {

namespace {

// The same operator as ONNX's of that name.
void rename(Upgrade& u) { u.graph().set_op_type(u.id(), u.node().op_type); }

void append_activation(Upgrade& u, const std::string& activation, const std::vector<float>& parameters) {
  const auto parameter = [&parameters](size_t i, float fallback) {
    return i < parameters.size() ? parameters[i] : fallback;
  };
  Attributes attributes;
  std::vector<ValueId> bounds;
  if (activation == "LeakyRelu") {
    attributes.set("alpha", parameter(0, 0.01F));
  } else if (activation == "HardSigmoid") {
    attributes.set("alpha", parameter(0, 0.2F));
    attributes.set("beta", parameter(1, 0.5F));
  } else if (activation == "Clip") {
    for (size_t i = 0; i < parameters.size() && i < 2; ++i) {
      bounds.push_back(u.scalar(i == 0 ? "min" : "max", parameters[i], u.input(0)));
    }
  } else if (activation != "Relu" && activation != "Tanh" && activation != "Sigmoid") {
    throw_error(ErrorCode::kUnsupported, "activation '{}' is not supported", activation);
  }
  u.append(activation, activation, std::move(bounds), std::move(attributes));
}

// activation(Conv(X, W, B) + Z)
void fused_conv(Upgrade& u) {
  const std::string activation = u.attributes().get_string("activation", "");
  const std::vector<float> parameters = u.attributes().get_floats("activation_params", {});
  u.attributes().erase("activation");
  u.attributes().erase("activation_params");
  if (!activation.empty()) append_activation(u, activation, parameters);
  if (u.input(3) != kNone) u.append("add", "Add", {u.input(3)});
  std::vector<ValueId> inputs = {u.input(0), u.input(1)};
  if (u.input(2) != kNone) inputs.push_back(u.input(2));
  u.become("Conv", std::move(inputs));
}

void fused_gemm(Upgrade& u) {
  const std::string activation = u.attributes().get_string("activation", "");
  std::vector<float> parameters;
  for (const char* name : {"activation_alpha", "activation_beta"}) {
    if (u.attributes().has(name)) parameters.push_back(u.attributes().get_float(name, 0));
  }
  for (const char* name : {"activation", "activation_alpha", "activation_beta", "activation_gamma"}) {
    u.attributes().erase(name);
  }
  if (!activation.empty()) append_activation(u, activation, parameters);
  u.graph().set_op_type(u.id(), "Gemm");
}

ValueId transposed(Upgrade& u, int input, const char* attribute, const char* word) {
  const ValueId x = u.input(input);
  if (u.attributes().get_int(attribute, 0) == 0) return x;
  const int rank = u.rank(x);
  if (rank < 2) {
    throw_error(ErrorCode::kUnsupported, "{} = 1 needs the rank of input {}, which the file does not say", attribute,
                input);
  }
  std::vector<int64_t> order;
  for (int i = 0; i < rank; ++i) order.push_back(i);
  std::swap(order[order.size() - 1], order[order.size() - 2]);
  Attributes attributes;
  attributes.set("perm", std::move(order));
  return u.emit(word, "Transpose", {x}, std::move(attributes));
}

// alpha * MatMul(A', B')
void fused_matmul(Upgrade& u) {
  if (u.attributes().get_int("transBatchA", 0) != 0 || u.attributes().get_int("transBatchB", 0) != 0) {
    throw_error(ErrorCode::kUnsupported, "transBatchA and transBatchB are not supported");
  }
  const float alpha = u.attributes().get_float("alpha", 1.0F);
  const ValueId a = transposed(u, 0, "transA", "a_transposed"), b = transposed(u, 1, "transB", "b_transposed");
  if (alpha != 1.0F) u.append("alpha", "Mul", {u.scalar("alpha_value", alpha, a)});
  for (const char* name : {"alpha", "transA", "transB", "transBatchA", "transBatchB"}) u.attributes().erase(name);
  u.become("MatMul", {a, b});
}

// Gelu(x + bias), exact or with tanh.
void biased_gelu(Upgrade& u) {
  if (u.node().op_type == "FastGelu") u.attributes().set("approximate", std::string("tanh"));
  const ValueId x = u.input(1) == kNone ? u.input(0) : u.emit("bias", "Add", {u.input(0), u.input(1)});
  u.become("Gelu", {x});
}

// x * sigmoid(alpha * x)
void quick_gelu(Upgrade& u) {
  const float alpha = u.attributes().get_float("alpha", 1.702F);
  u.attributes().erase("alpha");
  const ValueId x = u.input(0);
  const ValueId scaled = u.emit("scaled", "Mul", {x, u.scalar("alpha", alpha, x)});
  u.become("Mul", {x, u.emit("sigmoid", "Sigmoid", {scaled})});
}

constexpr UpgradeRule kRules[] = {
    {"FusedConv", kAlways, fused_conv, "fff?f?", kMicrosoft},
    {"FusedGemm", kAlways, fused_gemm, "fff?", kMicrosoft},
    {"FusedMatMul", kAlways, fused_matmul, "ff", kMicrosoft},
    {"TransposeMatMul", kAlways, fused_matmul, "ff", kMicrosoft},
    {"Gelu", kAlways, rename, "f", kMicrosoft},
    {"FastGelu", kAlways, biased_gelu, "ff?", kMicrosoft},
    {"BiasGelu", kAlways, biased_gelu, "ff?", kMicrosoft},
    {"QuickGelu", kAlways, quick_gelu, "f", kMicrosoft},
    {"QuantizeLinear", kAlways, rename, "nnq?", kMicrosoft},
    {"DequantizeLinear", kAlways, rename, "qfq?", kMicrosoft},
    {"Trilu", kAlways, rename, "al?", kMicrosoft},
};

}  // namespace

std::span<const UpgradeRule> fused_rules() { return kRules; }

}  // namespace twofold
