// From what was measured of weights and activations to what a plan asks of operands.
#ifndef TWOFOLD_SRC_DEBUG_OPERAND_SENSITIVITY_H_
#define TWOFOLD_SRC_DEBUG_OPERAND_SENSITIVITY_H_

#include <filesystem>
#include <map>
#include <string>
#include <utility>

#include "graph/graph.h"
#include "plan/operand_ref.h"

namespace twofold {

// Of every input of a product (Conv, ConvTranspose, MatMul, Gemm) that the results in a file (results_file.h) hold, the
// noise that its tensor alone makes: ResolveOptions::sensitivity. Throws Error(kInvalidArgument) for a file that is
// none, of another model, or without weights or activations.
std::map<std::pair<std::string, OperandRef>, double> operand_sensitivity(const Graph& graph,
                                                                         const std::filesystem::path& file);

}  // namespace twofold

#endif  // TWOFOLD_SRC_DEBUG_OPERAND_SENSITIVITY_H_
