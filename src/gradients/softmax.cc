// Softmax and LogSoftmax.
#include "gradients/families.h"
#include "traits/op_names.h"

namespace twofold {

namespace {

void softmax(RuleCall& call) {
  const Term weighted = call.dy() * call.y();
  call.add(0, weighted - call.y() * reduce_sum(weighted, {call.axis("axis", -1)}));
}

void log_softmax(RuleCall& call) {
  call.add(0, call.dy() - exp(call.y()) * reduce_sum(call.dy(), {call.axis("axis", -1)}));
}

constexpr RuleDef kRules[] = {
    {op::kLogSoftmax, log_softmax},
    {op::kSoftmax, softmax},
};

}  // namespace

std::span<const RuleDef> softmax_gradients() { return kRules; }

}  // namespace twofold
