// The integer dialect: operators that lowering makes of a graph with Q/DQ. Each has a type that says what its inputs,
// outputs and attributes are; lowering writes it to a node, and kernels read it from there: ProductNode,
// ElementwiseNode, TableNode, EcQuantizeNode, DequantizedPoolNode, QuantizedBody. Their write() leaves a node's name,
// outputs, origins and other attributes alone; their read() throws Error(kInvalidModel) naming what does not fit.
//
// No file holds such nodes: import refuses their domains (onnx/function_table.h).
#ifndef TWOFOLD_SRC_DIALECT_DOMAIN_H_
#define TWOFOLD_SRC_DIALECT_DOMAIN_H_

#include <string_view>

namespace twofold {

// Of all but quantized bodies, which have a domain of their own.
inline constexpr std::string_view kDialect = "twofold";

}  // namespace twofold

#endif  // TWOFOLD_SRC_DIALECT_DOMAIN_H_
