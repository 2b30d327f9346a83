// Operators whose result has the shape of their inputs.
#include "passes/type_rules.h"

namespace twofold {

namespace {

void same_as_input(const Inference& in) {
  in.output(0).dtype = in.input(0).dtype;
  in.output(0).shape = in.input(0).shape;
}

void elementwise(const Inference& in) {
  std::optional<Dims> shape = in.input(0).shape;
  for (int i = 1; i < static_cast<int>(in.node.inputs.size()); ++i) shape = broadcast_dims(shape, in.input(i).shape);
  in.output(0).dtype = in.input(0).dtype;
  in.output(0).shape = std::move(shape);
}

void comparison(const Inference& in) {
  elementwise(in);
  in.output(0).dtype = DType::kBool;
}

void where(const Inference& in) {
  elementwise(in);
  in.output(0).dtype = in.input(1).dtype;
}

void cast(const Inference& in) {
  same_as_input(in);
  const auto to = static_cast<DType>(in.attributes().get_int("to", 0));
  in.output(0).dtype = is_known(to) ? to : DType::kUndefined;
  if (to == DType::kInt64 || to == DType::kInt32) in.output(0).elements = in.input(0).elements;
}

void quantize_linear(const Inference& in) {
  in.output(0).shape = in.input(0).shape;
  in.output(0).dtype = in.node.input(2) == kNone ? DType::kUndefined : in.input(2).dtype;
}

void dequantize_linear(const Inference& in) {
  in.output(0).shape = in.input(0).shape;
  in.output(0).dtype = in.input(1).dtype;
}

}  // namespace

std::span<const TypeRule> elementwise_type_rules() {
  static constexpr TypeRule kRules[] = {
      {"Abs", same_as_input},
      {"Add", elementwise},
      {"And", elementwise},
      {"BatchNormalization", same_as_input},
      {"Cast", cast},
      {"Ceil", same_as_input},
      {"Celu", same_as_input},
      {"Clip", same_as_input},
      {"Cos", same_as_input},
      {"CumSum", same_as_input},
      {"DequantizeLinear", dequantize_linear},
      {"Div", elementwise},
      {"Dropout", same_as_input},
      {"Elu", same_as_input},
      {"Equal", comparison},
      {"Erf", same_as_input},
      {"Exp", same_as_input},
      {"Floor", same_as_input},
      {"Gelu", same_as_input},
      {"Greater", comparison},
      {"GreaterOrEqual", comparison},
      {"GroupNormalization", same_as_input},
      {"HardSigmoid", same_as_input},
      {"HardSwish", same_as_input},
      {"Hardmax", same_as_input},
      {"Identity", same_as_input},
      {"InstanceNormalization", same_as_input},
      {"LRN", same_as_input},
      {"LayerNormalization", same_as_input},
      {"LeakyRelu", same_as_input},
      {"Less", comparison},
      {"LessOrEqual", comparison},
      {"Log", same_as_input},
      {"LogSoftmax", same_as_input},
      {"LpNormalization", same_as_input},
      {"Max", elementwise},
      {"Mean", elementwise},
      {"MeanVarianceNormalization", same_as_input},
      {"Min", elementwise},
      {"Mish", same_as_input},
      {"Mod", elementwise},
      {"Mul", elementwise},
      {"Neg", same_as_input},
      {"Not", same_as_input},
      {"Or", elementwise},
      {"PRelu", elementwise},
      {"Pow", elementwise},
      {"QuantizeLinear", quantize_linear},
      {"RMSNormalization", same_as_input},
      {"Reciprocal", same_as_input},
      {"Relu", same_as_input},
      {"Round", same_as_input},
      {"Selu", same_as_input},
      {"Sigmoid", same_as_input},
      {"Sign", same_as_input},
      {"Sin", same_as_input},
      {"Softmax", same_as_input},
      {"Softplus", same_as_input},
      {"Softsign", same_as_input},
      {"Sqrt", same_as_input},
      {"Sub", elementwise},
      {"Sum", elementwise},
      {"Tanh", same_as_input},
      {"ThresholdedRelu", same_as_input},
      {"Trilu", same_as_input},
      {"Where", where},
      {"Xor", elementwise},
  };
  return kRules;
}

}  // namespace twofold
