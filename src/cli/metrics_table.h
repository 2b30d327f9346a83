// Tables of how far tensors of two models are apart.
#ifndef TWOFOLD_SRC_CLI_METRICS_TABLE_H_
#define TWOFOLD_SRC_CLI_METRICS_TABLE_H_

#include <string>
#include <vector>

#include "twofold/quantize.h"

namespace twofold {

// A number in few digits: "0.9987", "1.2e-06", "inf".
std::string short_number(double value);

// One row per tensor, one column per metric, as wide as text may be. `first` heads the column of names; behind it, the
// nodes that compute them, by the names that configs use, if asked for.
enum class NodeColumn { kNo, kYes };
std::string metrics_table(const std::string& first, const std::vector<TensorRow>& rows,
                          NodeColumn nodes = NodeColumn::kNo);

}  // namespace twofold

#endif  // TWOFOLD_SRC_CLI_METRICS_TABLE_H_
