#include "ops/post_ops.h"

#include <algorithm>

namespace twofold::onednn {

namespace {

using Kind = PostOp::Kind;
using PostOps = std::vector<PostOp>;

// Empty where there is none.
PostOps of_unary(const UnaryStep& step) {
  const UnaryParams& p = step.params;
  switch (step.op) {
    case UnaryOp::kRelu: return {{Kind::kRelu}};
    case UnaryOp::kLeakyRelu: return {{Kind::kRelu, p.alpha}};
    case UnaryOp::kHardSwish: return {{Kind::kHardSwish}};
    case UnaryOp::kSigmoid: return {{Kind::kSigmoid}};
    case UnaryOp::kTanh: return {{Kind::kTanh}};
    case UnaryOp::kSwish: return {{Kind::kSwish, p.alpha}};
    case UnaryOp::kGelu: return {{Kind::kGelu}};
    case UnaryOp::kHardSigmoid: return {{Kind::kLinear, p.alpha, p.beta}, {Kind::kClip, 0, 1}};
    case UnaryOp::kClip: return p.alpha <= p.beta ? PostOps{{Kind::kClip, p.alpha, p.beta}} : PostOps{};
    default: return {};
  }
}

PostOps of_binary(const BinaryStep& step) {
  if (step.op == BinaryOp::kAdd) return {step.operand >= 0 ? PostOp{Kind::kAdd} : PostOp{Kind::kLinear, 1, step.value}};
  if (step.op == BinaryOp::kMul && step.operand < 0) return {{Kind::kLinear, step.value, 0}};
  return {};
}

}  // namespace

std::optional<std::vector<PostOp>> post_ops(const FloatSteps& steps) {
  PostOps result;
  for (const FloatStep& step : steps) {
    const auto* unary = std::get_if<UnaryStep>(&step);
    const PostOps more = unary != nullptr ? of_unary(*unary) : of_binary(std::get<BinaryStep>(step));
    if (more.empty()) return std::nullopt;
    if (!result.empty() && result.back().kind == Kind::kLinear && more.size() == 1 && more[0].kind == Kind::kLinear) {
      PostOp& last = result.back();
      last = {Kind::kLinear, last.alpha * more[0].alpha, last.beta * more[0].alpha + more[0].beta};
      continue;
    }
    for (const PostOp& op : more) {
      const auto alike = [&](const PostOp& earlier) { return earlier.kind == op.kind; };
      if (std::ranges::any_of(result, alike)) return std::nullopt;
    }
    result.insert(result.end(), more.begin(), more.end());
  }
  return result;
}

}  // namespace twofold::onednn
