// How much there is to compute.
#ifndef TWOFOLD_SRC_QUANTIZE_NODE_WORK_H_
#define TWOFOLD_SRC_QUANTIZE_NODE_WORK_H_

#include <map>

#include "graph/graph.h"

namespace twofold {

// Multiply-accumulates of a product whose inputs and outputs have these shapes, of an LSTM, GRU or RNN those with its
// input; 0 for other operators.
double multiplications(const Node& node, const std::map<ValueId, Shape>& shapes);
// Of an LSTM, GRU or RNN those with its state.
double multiplications_of_state(const Node& node, const std::map<ValueId, Shape>& shapes);

}  // namespace twofold

#endif  // TWOFOLD_SRC_QUANTIZE_NODE_WORK_H_
