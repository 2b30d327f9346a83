// Rows of the public reports from the types of the layers below.
#ifndef TWOFOLD_SRC_API_REPORT_ROWS_H_
#define TWOFOLD_SRC_API_REPORT_ROWS_H_

#include <vector>

#include "plan/plan.h"
#include "quantize/compare.h"
#include "twofold/quantize.h"

namespace twofold {

std::vector<OperandRow> operand_rows(const Plan& plan);
std::vector<TensorRow> tensor_rows(const std::vector<TensorComparison>& comparisons);

}  // namespace twofold

#endif  // TWOFOLD_SRC_API_REPORT_ROWS_H_
