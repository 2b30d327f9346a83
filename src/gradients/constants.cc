// Operators whose float results do not change, or jump, when their inputs change a little. The gradient through them is
// zero, which is all of it.
#include "gradients/families.h"
#include "traits/op_names.h"

namespace twofold {

namespace {

constexpr RuleDef kRules[] = {
    {op::kCeil},
    {op::kFloor},
    {op::kRound},
    {op::kSign},
    {op::kHardmax},
    {op::kShape},
    {op::kSize},
    {op::kConstant},
    {op::kEyeLike},
    {op::kConstantOfShape},
    {op::kArgMax},
    {op::kArgMin},
    {op::kEqual},
    {op::kGreater},
    {op::kGreaterOrEqual},
    {op::kLess},
    {op::kLessOrEqual},
    {op::kIsInf},
    {op::kIsNaN},
    {op::kNonZero},
    {op::kNonMaxSuppression},
    {op::kRandomNormalLike},
    {op::kRandomUniformLike},
    {op::kBernoulli},
    {op::kMultinomial},
};

}  // namespace

std::span<const RuleDef> constant_gradients() { return kRules; }

}  // namespace twofold
