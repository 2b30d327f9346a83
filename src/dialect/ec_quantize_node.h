// EcQuantize: what lowering makes of the two quantizations of an `ec` activation (numeric/ec.h).
//
// Inputs: x, float32; s1, a float32 scalar, the scale of the first digit, in real units per step.
// Output: 254 q1 + q2 of each x, int16, of x's shape, in steps of s1 / 254. No attributes.
#ifndef TWOFOLD_SRC_DIALECT_EC_QUANTIZE_NODE_H_
#define TWOFOLD_SRC_DIALECT_EC_QUANTIZE_NODE_H_

#include <string_view>

#include "graph/graph.h"

namespace twofold {

// A value.
struct EcQuantizeNode {
  static constexpr std::string_view kOpType = "EcQuantize";

  ValueId x = kNone, scale = kNone;

  void write(Node& node) const;
};

}  // namespace twofold

#endif  // TWOFOLD_SRC_DIALECT_EC_QUANTIZE_NODE_H_
