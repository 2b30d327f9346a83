// LSTM, GRU and RNN of the dialect: those of ONNX with W·X given, which an integer product in front computes
// (docs/numerics.md, rule 11).
//
// Inputs: those of ONNX, but W·X without biases, float32 [steps, batch, directions·gates·hidden] or, with layout 1,
// [batch, steps, ...], in the place of X, and none in that of W. Outputs and attributes: those of ONNX.
#ifndef TWOFOLD_SRC_DIALECT_RECURRENCE_NODE_H_
#define TWOFOLD_SRC_DIALECT_RECURRENCE_NODE_H_

#include "graph/graph.h"

namespace twofold {

// A value.
struct RecurrenceNode {
  ValueId products = kNone;  // W·X

  static bool is(const Node& node);
  // Makes it of ONNX's operator of the same name.
  void write(Node& node) const;
};

}  // namespace twofold

#endif  // TWOFOLD_SRC_DIALECT_RECURRENCE_NODE_H_
