// The combinations of a target's rule as the public API describes them.
#ifndef TWOFOLD_SRC_API_COMBINATION_ROWS_H_
#define TWOFOLD_SRC_API_COMBINATION_ROWS_H_

#include <vector>

#include "plan/target.h"
#include "twofold/targets.h"

namespace twofold {

std::vector<CombinationRow> combination_rows(const OperatorRule& rule);

}  // namespace twofold

#endif  // TWOFOLD_SRC_API_COMBINATION_ROWS_H_
