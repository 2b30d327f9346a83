// The families of operators that lowering makes, one line per file of src/dialect that defines some.
#ifndef TWOFOLD_SRC_DIALECT_FAMILIES_H_
#define TWOFOLD_SRC_DIALECT_FAMILIES_H_

#include <span>

#include "ops/op.h"

namespace twofold {

std::span<const OpDef> dequantized_pool_ops();        // twofold.GlobalAveragePool
std::span<const OpDef> ec_quantize_ops();             // twofold.EcQuantize
std::span<const OpDef> integer_conv_transpose_ops();  // twofold.IntegerConvTranspose
std::span<const OpDef> recurrence_ops();              // twofold.{LSTM,GRU,RNN}
std::span<const OpDef> elementwise_ops();             // twofold.Elementwise
std::span<const OpDef> table_ops();                   // twofold.Table
std::span<const OpDef> integer_conv_ops();            // twofold.IntegerConv
std::span<const OpDef> integer_matmul_ops();          // twofold.Integer{MatMul,Gemm}

}  // namespace twofold

#endif  // TWOFOLD_SRC_DIALECT_FAMILIES_H_
