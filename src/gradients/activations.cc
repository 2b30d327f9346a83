// Activations, and others that are made of pieces. Where two pieces meet, PyTorch's choice is kept.
#include "gradients/families.h"
#include "traits/op_names.h"

namespace twofold {

namespace {

constexpr float kSqrtHalf = 0.70710678F, kInverseSqrt2Pi = 0.39894228F, kSqrt2OverPi = 0.79788456F;

float number(const RuleCall& call, const char* name, float fallback) {
  return call.attributes().get_float(name, fallback);
}

// The gradient where the condition holds, else none.
void pass(RuleCall& call, Term condition) { call.add(0, where(condition, call.dy(), 0.0F)); }
// The gradient times `slope` where the condition does not hold.
void pass_or_scale(RuleCall& call, Term condition, Term slope) {
  call.add(0, where(condition, call.dy(), call.dy() * slope));
}

// 0 at 0. Whether x was positive can be seen in y, which need not be kept out of what runs before it. Its sign is 0 or
// 1, and a product takes a fifth of the time of a Where.
void relu(RuleCall& call) { call.add(0, call.dy() * sign(call.y())); }

// alpha at 0.
void leaky_relu(RuleCall& call) {
  const float alpha = number(call, "alpha", 0.01F);
  const Term positive = call.backward().node(op::kRelu, {sign(call.x())});
  call.add(0, call.dy() * (alpha + (1.0F - alpha) * positive));
}

void elu(RuleCall& call) { pass_or_scale(call, call.x() > 0.0F, number(call, "alpha", 1.0F) * exp(call.x())); }

void celu(RuleCall& call) { pass_or_scale(call, call.x() > 0.0F, exp(call.x() / number(call, "alpha", 1.0F))); }

void selu(RuleCall& call) {
  const float alpha = number(call, "alpha", 1.67326319F), gamma = number(call, "gamma", 1.05070102F);
  call.add(0, call.dy() * where(call.x() > 0.0F, gamma, gamma * alpha * exp(call.x())));
}

void thresholded_relu(RuleCall& call) { pass(call, call.x() > number(call, "alpha", 1.0F)); }

// 0 at both bounds.
void shrink(RuleCall& call) { pass(call, abs(call.x()) > number(call, "lambd", 0.5F)); }

// 1 between 0 and 1, and 0 at both.
Term is_fraction(Term y) { return sign(y * (1.0F - y)); }

// 0 at both bounds.
void hard_sigmoid(RuleCall& call) { call.add(0, call.dy() * (number(call, "alpha", 0.2F) * is_fraction(call.y()))); }

// x * clamp(x / 6 + 1 / 2): 0 at -3, and 1 at 3.
void hard_swish(RuleCall& call) {
  const Term gate = call.backward().node(op::kHardSigmoid, {call.x()}, {{"alpha", 1.0F / 6.0F}});
  call.add(0, call.dy() * (gate + call.x() / 6.0F * is_fraction(gate)));
}

// What a bound cuts off is its own. The upper one comes last, and so counts where the two contradict each other.
void clip_by_computed_bounds(RuleCall& call) {
  const Term x = call.x(), raised = call.has_input(1) ? call.backward().node(op::kMax, {x, call.x(1)}) : x;
  Term rest = call.dy();
  const auto cut = [&](int i, Term inside) {
    if (call.wants(i)) call.add_broadcast(i, where(inside, 0.0F, rest));
    rest = where(inside, rest, 0.0F);
  };
  if (call.has_input(2)) cut(2, raised <= call.x(2));
  if (call.has_input(1)) cut(1, x >= call.x(1));
  call.add(0, rest);
}

// The gradient passes inside and at the bounds: where x is left as it is. By products, as in Relu; computing the result
// again is cheaper than keeping it.
void clip(RuleCall& call) {
  if (call.wants(1) || call.wants(2)) return clip_by_computed_bounds(call);
  const Term clipped = call.backward().node(op::kClip, call.inputs_after(call.x()));
  call.add(0, call.dy() * (1.0F - abs(sign(call.x() - clipped))));
}

void gelu(RuleCall& call) {
  const Term x = call.x();
  if (call.attributes().get_string("approximate", "none") == "tanh") {
    const Term t = tanh(kSqrt2OverPi * (x + 0.044715F * x * x * x));
    const Term inner = kSqrt2OverPi * (1.0F + 0.134145F * square(x));
    return call.add(0, call.dy() * (0.5F * (1.0F + t) + 0.5F * x * (1.0F - square(t)) * inner));
  }
  const Term density = kInverseSqrt2Pi * exp(-0.5F * square(x));
  call.add(0, call.dy() * (0.5F * (1.0F + erf(x * kSqrtHalf)) + x * density));
}

// x * sigmoid(alpha * x)
void swish(RuleCall& call) {
  const Term inner = call.x() * number(call, "alpha", 1.0F), s = sigmoid(inner);
  call.add(0, call.dy() * s * (1.0F + inner * (1.0F - s)));
}

// x * tanh(softplus(x))
void mish(RuleCall& call) {
  const Term t = tanh(softplus(call.x()));
  call.add(0, call.dy() * (t + call.x() * sigmoid(call.x()) * (1.0F - square(t))));
}

void sigmoid_rule(RuleCall& call) { call.add(0, call.dy() * call.y() * (1.0F - call.y())); }
void tanh_rule(RuleCall& call) { call.add(0, call.dy() * (1.0F - square(call.y()))); }
void softplus_rule(RuleCall& call) { call.add(0, call.dy() * sigmoid(call.x())); }
void softsign(RuleCall& call) { call.add(0, call.dy() / square(1.0F + abs(call.x()))); }

constexpr RuleDef kRules[] = {
    {op::kCelu, celu},
    {op::kClip, clip},
    {op::kElu, elu},
    {op::kGelu, gelu},
    {op::kHardSigmoid, hard_sigmoid},
    {op::kHardSwish, hard_swish},
    {op::kLeakyRelu, leaky_relu},
    {op::kMish, mish},
    {op::kRelu, relu},
    {op::kSelu, selu},
    {op::kShrink, shrink},
    {op::kSigmoid, sigmoid_rule},
    {op::kSoftplus, softplus_rule},
    {op::kSoftsign, softsign},
    {op::kSwish, swish},
    {op::kTanh, tanh_rule},
    {op::kThresholdedRelu, thresholded_relu},
};

}  // namespace

std::span<const RuleDef> activation_gradients() { return kRules; }

}  // namespace twofold
