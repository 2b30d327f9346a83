// Finds what a target grants for the precisions that were asked.
#ifndef TWOFOLD_SRC_PLAN_COMBINATION_H_
#define TWOFOLD_SRC_PLAN_COMBINATION_H_

#include <span>
#include <string_view>
#include <vector>

#include "plan/target.h"

namespace twofold {

struct Grant {
  std::vector<QType> inputs;                 // per data input
  const Combination* combination = nullptr;  // nullptr: the rule has none that fits
};

// The allowed precisions nearest to those asked: equal if they are allowed; else 16 bits in the other form (int16, ec)
// before more bits, before fewer bits, before float. Among equals, data input `keep` keeps its precision.
// `indices` are the data inputs' positions among the node's inputs: ec is granted only where takes_ec(). Data inputs
// that are `never_integers` get a float, whatever that costs the others.
Grant nearest_combination(const OperatorRule& rule, std::string_view op_type, std::span<const int> indices,
                          std::span<const QType> asked, size_t keep, const std::vector<bool>& never_integers);

// The allowed output precision nearest to the one asked. REQUIRES: allowed is not empty.
QType nearest_output(std::span<const QType> allowed, QType asked);

}  // namespace twofold

#endif  // TWOFOLD_SRC_PLAN_COMBINATION_H_
