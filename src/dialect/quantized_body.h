// Operators that read and give integers and compute in float32 between (docs/numerics.md, rule 6), as one node.
#ifndef TWOFOLD_SRC_DIALECT_QUANTIZED_BODY_H_
#define TWOFOLD_SRC_DIALECT_QUANTIZED_BODY_H_

#include <memory>
#include <string_view>

#include "graph/graph.h"
#include "ops/op.h"

namespace twofold {

// The domain of such nodes, which no file holds. Their op_type names the operators inside, "Softmax" or "Add
// LayerNormalization"; the attribute kQuantizedBody is the graph of them with DequantizeLinear in front and
// QuantizeLinear behind, whose inputs and outputs are those of the node, in order.
//
//   q ─ DequantizeLinear ─ Softmax ─ QuantizeLinear ─ q'   =>   q ─ Softmax ─ q'
inline constexpr std::string_view kQuantizedDomain = "twofold.quantized";
inline constexpr const char* kQuantizedBody = "body";

// Runs the body, a block of rows or channels at a time where every operator in it treats these one by one
// (ops/independent_dims.h), so that what is float32 stays in the cache. The bits are those of the body's operators.
std::unique_ptr<Kernel> make_quantized_body(const KernelArgs& args);

}  // namespace twofold

#endif  // TWOFOLD_SRC_DIALECT_QUANTIZED_BODY_H_
