// Elementwise: what lowering makes of operators of several tensors between DequantizeLinear and QuantizeLinear, and
// what else runs a float program.
//
// Inputs: the numbers that the program begins with, stored as `source` says, and its operands; up to three tensors,
// which broadcast. Outputs: those of the program, of the shape that this gives. Attributes: those of this type.
#ifndef TWOFOLD_SRC_DIALECT_ELEMENTWISE_NODE_H_
#define TWOFOLD_SRC_DIALECT_ELEMENTWISE_NODE_H_

#include <string_view>
#include <vector>

#include "dialect/float_program.h"
#include "graph/graph.h"

namespace twofold {

// A value.
struct ElementwiseNode {
  static constexpr std::string_view kOpType = "Elementwise";

  ValueId first = kNone;
  std::vector<ValueId> operands;  // of the program
  StoredForm source;              // of `first`
  FloatProgram program;

  static bool is(const Node& node);
  // REQUIRES: is(node).
  static ElementwiseNode read(const Node& node);
  void write(Node& node) const;
};

}  // namespace twofold

#endif  // TWOFOLD_SRC_DIALECT_ELEMENTWISE_NODE_H_
