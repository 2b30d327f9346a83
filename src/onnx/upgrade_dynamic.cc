// com.microsoft: products whose left side ONNX Runtime quantizes while it runs, taken apart into DynamicQuantizeLinear,
// MatMulInteger and float operators, which give the same integers.
#include "onnx/upgrade.h"

namespace twofold {

namespace {

// float(A B) (a_scale b_scale) + bias, of integers A and B with their zero points. The node becomes the last operator.
void scaled_product(Upgrade& u, std::vector<ValueId> operands, ValueId a_scale, ValueId b_scale, ValueId bias) {
  Attributes to_float;
  to_float.set("to", static_cast<int64_t>(DType::kFloat32));
  const ValueId sums = u.emit("product", "MatMulInteger", std::move(operands));
  const ValueId steps = u.emit("steps", "Cast", {sums}, std::move(to_float));
  const ValueId scale = u.emit("scale", "Mul", {a_scale, b_scale});
  u.become("Mul", {steps, scale});
  if (bias != kNone) u.append("bias", "Add", {bias});
}

void dynamic_quantize_matmul(Upgrade& u) {
  Graph& graph = u.graph();
  const std::string name = u.node().name + "_quantize";
  std::vector<ValueId> quantized;
  for (const char* word : {"", "_scale", "_zero_point"}) {
    quantized.push_back(graph.add_value(graph.unique_value_name(name + word)));
  }
  graph.add_node({name, "DynamicQuantizeLinear", "", {u.input(0)}, quantized, {}, u.node().origins});
  scaled_product(u, {quantized[0], u.input(1), quantized[2], u.input(3)}, quantized[1], u.input(2), u.input(4));
}

void matmul_integer_to_float(Upgrade& u) {
  scaled_product(u, {u.input(0), u.input(1), u.input(4), u.input(5)}, u.input(2), u.input(3), u.input(6));
}

constexpr UpgradeRule kRules[] = {
    {"DynamicQuantizeMatMul", kAlways, dynamic_quantize_matmul, "fqfq?f?", kMicrosoft},
    {"MatMulIntegerToFloat", kAlways, matmul_integer_to_float, "qqffq?q?f?", kMicrosoft},
};

}  // namespace

std::span<const UpgradeRule> dynamic_rules() { return kRules; }

}  // namespace twofold
