// Functions of several numbers at one place, with broadcasting.
#include "gradients/families.h"
#include "traits/op_names.h"

namespace twofold {

namespace {

void add(RuleCall& call) {
  call.add_broadcast(0, call.dy());
  call.add_broadcast(1, call.dy());
}

void sub(RuleCall& call) {
  call.add_broadcast(0, call.dy());
  if (call.wants(1)) call.add_broadcast(1, -call.dy());
}

void mul(RuleCall& call) {
  if (call.wants(0)) call.add_broadcast(0, call.dy() * call.x(1));
  if (call.wants(1)) call.add_broadcast(1, call.dy() * call.x(0));
}

void div(RuleCall& call) {
  if (call.wants(0)) call.add_broadcast(0, call.dy() / call.x(1));
  if (call.wants(1)) call.add_broadcast(1, -call.dy() * call.y() / call.x(1));
}

// a - q * b with a whole q, whichever way it is rounded.
void mod(RuleCall& call) {
  call.add_broadcast(0, call.dy());
  if (call.wants(1)) {
    const Term quotient = call.backward().node(op::kRound, {(call.x(0) - call.y()) / call.x(1)});
    call.add_broadcast(1, -call.dy() * quotient);
  }
}

// A whole tensor to the power of one known number.
void constant_power(RuleCall& call, float exponent) {
  if (exponent == 0) return;
  const Term x = call.x();
  const Term slope = exponent == 2 ? 2.0F * x : exponent * pow(x, exponent - 1.0F);
  call.add_broadcast(0, exponent == 1 ? call.dy() : call.dy() * slope);
}

// 0 where the exponent is 0, and in the exponent where the base is 0: the power is constant there.
void power(RuleCall& call) {
  const Tensor* known = call.backward().forward().constant(call.node().input(1));
  if (known != nullptr && known->dtype() == DType::kFloat32 && known->size() == 1) {
    return constant_power(call, known->data<float>()[0]);
  }
  const Term base = call.x(0);
  const bool integers = !call.backward().is_float(call.node().input(1));
  const Term exponent = integers ? to_type(call.x(1), DType::kFloat32) : call.x(1);
  if (call.wants(0)) {
    const Term slope = exponent * pow(base, exponent - 1.0F);
    call.add_broadcast(0, call.dy() * where(equal(exponent, 0.0F), 0.0F, slope));
  }
  if (call.wants(1)) {
    const Term constant = both(equal(base, 0.0F), exponent >= 0.0F);
    call.add_broadcast(1, call.dy() * where(constant, 0.0F, call.y() * log(base)));
  }
}

// The slope counts at 0.
void prelu(RuleCall& call) {
  const Term positive = call.x(0) > 0.0F;
  if (call.wants(0)) call.add_broadcast(0, where(positive, call.dy(), call.dy() * call.x(1)));
  if (call.wants(1)) call.add_broadcast(1, where(positive, 0.0F, call.dy() * call.x(0)));
}

// Inputs that are equally large share the gradient.
void extreme(RuleCall& call) {
  if (call.num_inputs() == 1) return call.add(0, call.dy());
  std::vector<Term> chosen;
  Term count;
  for (int i = 0; i < call.num_inputs(); ++i) {
    chosen.push_back(where(equal(call.x(i), call.y()), 1.0F, 0.0F));
    count = count.defined() ? count + chosen.back() : chosen.back();
  }
  const Term share = call.dy() / count;
  for (int i = 0; i < call.num_inputs(); ++i) {
    if (call.wants(i)) call.add_broadcast(i, share * chosen[static_cast<size_t>(i)]);
  }
}

void sum(RuleCall& call) {
  for (int i = 0; i < call.num_inputs(); ++i) call.add_broadcast(i, call.dy());
}

void mean(RuleCall& call) {
  const Term share = call.dy() / static_cast<float>(call.num_inputs());
  for (int i = 0; i < call.num_inputs(); ++i) call.add_broadcast(i, share);
}

void where_rule(RuleCall& call) {
  if (call.wants(1)) call.add_broadcast(1, where(call.x(0), call.dy(), 0.0F));
  if (call.wants(2)) call.add_broadcast(2, where(call.x(0), 0.0F, call.dy()));
}

constexpr RuleDef kRules[] = {
    {op::kAdd, add},     {op::kDiv, div}, {op::kMax, extreme}, {op::kMean, mean},
    {op::kMin, extreme}, {op::kMod, mod}, {op::kMul, mul},     {op::kPRelu, prelu},
    {op::kPow, power},   {op::kSub, sub}, {op::kSum, sum},     {op::kWhere, where_rule},
};

}  // namespace

std::span<const RuleDef> elementwise_gradients() { return kRules; }

}  // namespace twofold
