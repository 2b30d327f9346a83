#include "quantize/kind_notes.h"

#include <fmt/format.h>

#include <algorithm>

#include "quantize/output_noise.h"
#include "traits/gemm_type.h"

namespace twofold {

bool raises_products(const Plan& plan) {
  const auto has = [&](bool product, auto precision) {
    return std::ranges::any_of(plan.operands(), [&](const OperandPlan& operand) {
      return is_gemm_type(operand.op_type) == product && !operand.moves_data && precision(operand.granted);
    });
  };
  return has(true, is_16bit) && has(false, [](QType granted) { return granted == QType::kInt8; });
}

void add_notes(const KindChoice& choice, bool chosen, Plan& plan) {
  for (const OperatorKind& kind : choice.kinds) {
    if (kind.chosen == QType::kInt8) continue;
    std::string measured;
    for (const auto& [qtype, noise] : kind.noise) {
      measured += fmt::format("{}at {} {}", measured.empty() ? "" : ", ", to_string(qtype), decibels(noise));
    }
    const std::string what = chosen ? fmt::format("all_node_type auto: {} for {}", to_string(kind.chosen), kind.op_type)
                                    : fmt::format("the result is limited by {} at int8", kind.op_type);
    plan.notes.push_back(fmt::format("{} ({} node{}): alone {}; the products alone {}", what, kind.nodes,
                                     kind.nodes == 1 ? "" : "s", measured, decibels(choice.products)));
  }
}

}  // namespace twofold
