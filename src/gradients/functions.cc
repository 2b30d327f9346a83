// Functions of one number that are smooth where they are defined, and conversions between floats.
#include "gradients/families.h"
#include "traits/op_names.h"

namespace twofold {

namespace {

constexpr float kTwoOverSqrtPi = 1.1283792F;

// d is the derivative at each place.
void scale(RuleCall& call, Term d) { call.add(0, call.dy() * d); }

// Of float types; others have no gradient.
void convert(RuleCall& call) { call.add(0, call.dy()); }

constexpr RuleDef kRules[] = {
    {op::kAbs, [](RuleCall& call) { scale(call, sign(call.x())); }},  // 0 at 0
    {op::kAcos, [](RuleCall& call) { call.add(0, -call.dy() / sqrt(1.0F - square(call.x()))); }},
    {op::kAcosh, [](RuleCall& call) { call.add(0, call.dy() / sqrt(square(call.x()) - 1.0F)); }},
    {op::kAsin, [](RuleCall& call) { call.add(0, call.dy() / sqrt(1.0F - square(call.x()))); }},
    {op::kAsinh, [](RuleCall& call) { call.add(0, call.dy() / sqrt(square(call.x()) + 1.0F)); }},
    {op::kAtan, [](RuleCall& call) { call.add(0, call.dy() / (square(call.x()) + 1.0F)); }},
    {op::kAtanh, [](RuleCall& call) { call.add(0, call.dy() / (1.0F - square(call.x()))); }},
    {op::kCast, convert},
    {op::kCastLike, convert},
    {op::kCos, [](RuleCall& call) { scale(call, -sin(call.x())); }},
    {op::kCosh, [](RuleCall& call) { scale(call, call.backward().node(op::kSinh, {call.x()})); }},
    {op::kErf, [](RuleCall& call) { scale(call, kTwoOverSqrtPi * exp(-square(call.x()))); }},
    {op::kExp, [](RuleCall& call) { scale(call, call.y()); }},
    {op::kLog, [](RuleCall& call) { call.add(0, call.dy() / call.x()); }},
    {op::kNeg, [](RuleCall& call) { call.add(0, -call.dy()); }},
    {op::kReciprocal, [](RuleCall& call) { scale(call, -square(call.y())); }},
    {op::kSin, [](RuleCall& call) { scale(call, cos(call.x())); }},
    {op::kSinh, [](RuleCall& call) { scale(call, call.backward().node(op::kCosh, {call.x()})); }},
    {op::kSqrt, [](RuleCall& call) { call.add(0, call.dy() / (2.0F * call.y())); }},  // infinite at 0
    {op::kTan, [](RuleCall& call) { scale(call, 1.0F + square(call.y())); }},
};

}  // namespace

std::span<const RuleDef> function_gradients() { return kRules; }

}  // namespace twofold
