// Statistics of operands as rows.
#ifndef TWOFOLD_SRC_API_OPERAND_NUMBERS_H_
#define TWOFOLD_SRC_API_OPERAND_NUMBERS_H_

#include <string>
#include <vector>

#include "api/debug_case.h"
#include "twofold/distributions.h"

namespace twofold {

// Positions in the plan of what gets integers and belongs to these nodes or tensors; no names: all, each tensor at each
// precision once. Throws Error(kNotFound) with the nearest names, Error(kInvalidArgument) for one that gets none.
std::vector<size_t> operands_named(DebugCase& subject, const std::vector<std::string>& names);

// The same of every reader of a tensor. What is named need not get any.
std::vector<size_t> operands_of_all_readers(DebugCase& subject, const std::vector<std::string>& names);

std::vector<OperandNumbers> operand_numbers(DebugCase& subject, const std::vector<size_t>& operands, int64_t data_num);

// The same of what nodes compute, in the whole quantized model: of the nodes and tensors named, of all without names.
// Rows of precision "float32" say what becomes of a tensor, not what is done to it.
std::vector<OperandNumbers> computed_numbers(DebugCase& subject, const std::vector<std::string>& names,
                                             int64_t data_num);

// From where to where a single scale reaches; nothing where every channel has one.
std::vector<double> range_of(const OperandPlan& operand);

}  // namespace twofold

#endif  // TWOFOLD_SRC_API_OPERAND_NUMBERS_H_
