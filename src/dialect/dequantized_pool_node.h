// GlobalAveragePool of the dialect: that of DequantizeLinear(q, scale, zero point), which is computed piece by piece,
// so that a map is read once. It stands in quantized bodies (quantized_body.h).
//
// Inputs: q, 8- or 16-bit integers [N,C,spatial...]; the scale, float32; the zero point, of q's type, optional; one of
// either for all. Output: float32 [N,C,1...]. No attributes.
#ifndef TWOFOLD_SRC_DIALECT_DEQUANTIZED_POOL_NODE_H_
#define TWOFOLD_SRC_DIALECT_DEQUANTIZED_POOL_NODE_H_

#include <string_view>

#include "graph/graph.h"
#include "traits/op_names.h"

namespace twofold {

// A value.
struct DequantizedPoolNode {
  static constexpr std::string_view kOpType = op::kGlobalAveragePool;  // of the dialect's domain

  ValueId integers = kNone, scale = kNone, zero_point = kNone;

  void write(Node& node) const;
};

}  // namespace twofold

#endif  // TWOFOLD_SRC_DIALECT_DEQUANTIZED_POOL_NODE_H_
