#include "ops/unary_step.h"

#include <limits>
#include <map>

namespace twofold {

namespace {

const std::map<std::string_view, UnaryOp>& unary_ops_by_name() {
  static const std::map<std::string_view, UnaryOp> table = {
      {"Abs", UnaryOp::kAbs},
      {"Neg", UnaryOp::kNeg},
      {"Relu", UnaryOp::kRelu},
      {"Sigmoid", UnaryOp::kSigmoid},
      {"Tanh", UnaryOp::kTanh},
      {"Exp", UnaryOp::kExp},
      {"Log", UnaryOp::kLog},
      {"Sqrt", UnaryOp::kSqrt},
      {"Reciprocal", UnaryOp::kReciprocal},
      {"Erf", UnaryOp::kErf},
      {"Floor", UnaryOp::kFloor},
      {"Ceil", UnaryOp::kCeil},
      {"Round", UnaryOp::kRound},
      {"Sign", UnaryOp::kSign},
      {"Sin", UnaryOp::kSin},
      {"Cos", UnaryOp::kCos},
      {"HardSigmoid", UnaryOp::kHardSigmoid},
      {"HardSwish", UnaryOp::kHardSwish},
      {"LeakyRelu", UnaryOp::kLeakyRelu},
      {"Elu", UnaryOp::kElu},
      {"Selu", UnaryOp::kElu},
      {"Celu", UnaryOp::kElu},
      {"ThresholdedRelu", UnaryOp::kThresholdedRelu},
      {"Softplus", UnaryOp::kSoftplus},
      {"Softsign", UnaryOp::kSoftsign},
      {"Mish", UnaryOp::kMish},
      {"Swish", UnaryOp::kSwish},
      {"Shrink", UnaryOp::kShrink},
  };
  return table;
}

std::optional<UnaryStep> clip_step(const Graph& graph, const Node& node) {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  UnaryParams params{-kInfinity, kInfinity};
  for (int i : {1, 2}) {
    if (node.input(i) == kNone) continue;
    const Tensor* bound = graph.constant(node.input(i));
    if (bound == nullptr || bound->dtype() != DType::kFloat32 || bound->size() != 1) return std::nullopt;
    (i == 1 ? params.alpha : params.beta) = bound->data<float>()[0];
  }
  return UnaryStep{UnaryOp::kClip, params};
}

}  // namespace

UnaryParams unary_params(UnaryOp op, std::string_view op_type, const Attributes& attributes) {
  const auto get = [&](std::string_view name, float fallback) { return attributes.get_float(name, fallback); };
  switch (op) {
    case UnaryOp::kHardSigmoid: return {get("alpha", 0.2F), get("beta", 0.5F)};
    case UnaryOp::kLeakyRelu: return {get("alpha", 0.01F)};
    case UnaryOp::kThresholdedRelu:
    case UnaryOp::kSwish: return {get("alpha", 1.0F)};
    case UnaryOp::kShrink: return {get("lambd", 0.5F), get("bias", 0.0F)};
    case UnaryOp::kElu: {
      if (op_type == "Selu") {
        const float scale = get("gamma", 1.05070102214813232421875F);
        return {scale * get("alpha", 1.67326319217681884765625F), scale, 1.0F};
      }
      const float alpha = get("alpha", 1.0F);
      return {alpha, 1.0F, op_type == "Celu" ? 1.0F / alpha : 1.0F};
    }
    default: return {};
  }
}

std::optional<UnaryStep> unary_step(const Graph& graph, const Node& node) {
  if (!node.domain.empty()) return std::nullopt;
  if (node.op_type == "Clip") return clip_step(graph, node);
  if (node.op_type == "Gelu") {
    const bool tanh = node.attributes.get_string("approximate", "none") == "tanh";
    return UnaryStep{tanh ? UnaryOp::kGeluTanh : UnaryOp::kGelu, {}};
  }
  const auto it = unary_ops_by_name().find(node.op_type);
  if (it == unary_ops_by_name().end()) return std::nullopt;
  return UnaryStep{it->second, unary_params(it->second, node.op_type, node.attributes)};
}

}  // namespace twofold
