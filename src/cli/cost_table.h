// Measured costs as text.
#ifndef TWOFOLD_SRC_CLI_COST_TABLE_H_
#define TWOFOLD_SRC_CLI_COST_TABLE_H_

#include <string>

#include "twofold/calibrate_costs.h"

namespace twofold {

// A table of the costs by layer, and the lines to put into a target file.
std::string cost_text(const CostReport& report);

}  // namespace twofold

#endif  // TWOFOLD_SRC_CLI_COST_TABLE_H_
