// The families of operators, one line per file of src/ops that defines some.
#ifndef TWOFOLD_SRC_OPS_FAMILIES_H_
#define TWOFOLD_SRC_OPS_FAMILIES_H_

#include <span>

#include "ops/op.h"

namespace twofold {

std::span<const OpDef> quantize_linear_ops();  // QuantizeLinear, DequantizeLinear, DynamicQuantizeLinear

}  // namespace twofold

#endif  // TWOFOLD_SRC_OPS_FAMILIES_H_
