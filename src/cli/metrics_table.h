// Tables of how far tensors of two models are apart.
#ifndef TWOFOLD_SRC_CLI_METRICS_TABLE_H_
#define TWOFOLD_SRC_CLI_METRICS_TABLE_H_

#include <string>
#include <vector>

#include "twofold/quantize.h"

namespace twofold {

// A number in few digits: "0.9987", "1.2e-06", "inf".
std::string short_number(double value);

// One row per tensor, one column per metric. `first` heads the column of names.
std::string metrics_table(const std::string& first, const std::vector<TensorRow>& rows);

}  // namespace twofold

#endif  // TWOFOLD_SRC_CLI_METRICS_TABLE_H_
