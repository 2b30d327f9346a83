// Where the NaN in a float model begins.
#ifndef TWOFOLD_SRC_CALIBRATE_FIRST_NAN_H_
#define TWOFOLD_SRC_CALIBRATE_FIRST_NAN_H_

#include <string>
#include <vector>

#include "graph/graph.h"

namespace twofold {

// Which node, in graph order, is the first that reads a constant with NaN or computes NaN on these inputs: "node 'log'
// (Log) is the first that computes NaN: 'log_output'". Empty where there is none. Runs the model once.
std::string first_nan(const Graph& graph, const std::vector<Tensor>& inputs);

}  // namespace twofold

#endif  // TWOFOLD_SRC_CALIBRATE_FIRST_NAN_H_
