// What lowering made of each operator, for people.
#ifndef TWOFOLD_SRC_ENGINE_LOWERED_NODE_H_
#define TWOFOLD_SRC_ENGINE_LOWERED_NODE_H_

#include <string>
#include <vector>

#include "engine/lower_gemms.h"

namespace twofold {

enum class LoweredKind : uint8_t {
  kInteger,     // computes on integers
  kTable,       // looks integers up
  kMoved,       // moves integers
  kQuantized,   // integers in and out, float32 inside (dialect/quantized_body.h)
  kConversion,  // QuantizeLinear, DequantizeLinear
  kFloat,
};

// "integer", "table", "moved", "quantized", "conversion", "float".
std::string_view to_string(LoweredKind kind);

struct LoweredNode {
  NodeId node = kNone;
  LoweredKind kind = LoweredKind::kFloat;
  std::string why;    // of a float one: why it is one; of a quantized one: what that is
  int ec_passes = 1;  // of a product with ec operands that run in passes: 2 or 4
};

// In topological order. `reasons` are those that lower() gave.
std::vector<LoweredNode> describe_lowered(const Graph& lowered, const FloatReasons& reasons);

}  // namespace twofold

#endif  // TWOFOLD_SRC_ENGINE_LOWERED_NODE_H_
