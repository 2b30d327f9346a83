// Operators that read and give integers and compute in float32 between (docs/numerics.md, rule 6), as one node:
//
//   q ─ DequantizeLinear ─ Softmax ─ QuantizeLinear ─ q'   =>   q ─ Softmax ─ q'
//
// Its op_type names the operators inside, "Softmax" or "Add LayerNormalization". Inputs and outputs: those of the body,
// in order. Attribute: the body, a graph of the operators with DequantizeLinear in front and QuantizeLinear behind.
#ifndef TWOFOLD_SRC_DIALECT_QUANTIZED_BODY_NODE_H_
#define TWOFOLD_SRC_DIALECT_QUANTIZED_BODY_NODE_H_

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "graph/graph.h"

namespace twofold {

// Of these nodes only.
inline constexpr std::string_view kQuantizedDomain = "twofold.quantized";

// A value.
struct QuantizedBodyNode {
  std::string op_type;
  std::vector<ValueId> inputs;
  std::shared_ptr<const Graph> body;

  static bool is(const Node& node) { return node.domain == kQuantizedDomain; }
  // REQUIRES: is(node).
  static QuantizedBodyNode read(const Node& node);
  void write(Node& node) const;
};

}  // namespace twofold

#endif  // TWOFOLD_SRC_DIALECT_QUANTIZED_BODY_NODE_H_
