// Tensors that a program wants to read and change by the names they have in its model, in the graph that lowering makes
// of it.
#ifndef TWOFOLD_SRC_ENGINE_WATCHED_TENSOR_H_
#define TWOFOLD_SRC_ENGINE_WATCHED_TENSOR_H_

#include <optional>
#include <vector>

#include "engine/quantized_edge.h"
#include "graph/graph.h"

namespace twofold {

// Integers that a model makes of a float tensor, with one scale.
struct IntegerForm {
  // edge.integers is the value that holds them; those of an ec operand are the joined digits, in steps of s1 / 254.
  QuantizedEdge edge;
  float ec_scale = 0;  // s1 of an ec operand (numeric/ec.h); 0: what a QuantizeLinear makes
};

// The form that a reader of a float tensor makes of it: QuantizeLinear, or EcQuantize; nothing for all others.
std::optional<IntegerForm> integer_form(const Graph& graph, NodeId reader);

// The integers of a float32 tensor in plain layout, and what integers stand for.
Tensor integers_of(const Tensor& real, const IntegerForm& form);
Tensor real_numbers_of(const Tensor& integers, const IntegerForm& form);

// What a lowered graph has of one tensor. All that reads the tensor in the model reads one of these there.
struct WatchedTensor {
  ValueId real = kNone;  // the tensor itself; kNone where it is there as integers only
  std::vector<IntegerForm> integers;
};

// The form with the smallest steps. REQUIRES: there is one.
const IntegerForm& finest(const WatchedTensor& tensor);

}  // namespace twofold

#endif  // TWOFOLD_SRC_ENGINE_WATCHED_TENSOR_H_
