// A plan of which only a part is left.
#ifndef TWOFOLD_SRC_DEBUG_ONLY_H_
#define TWOFOLD_SRC_DEBUG_ONLY_H_

#include <set>

#include "plan/plan.h"

namespace twofold {

// The plan in which every operand stays float32 but those, by position in Plan::operands().
Plan only(const Plan& plan, const std::set<size_t>& operands);

}  // namespace twofold

#endif  // TWOFOLD_SRC_DEBUG_ONLY_H_
