// Inputs and outputs of a graph as the public API describes them.
#ifndef TWOFOLD_SRC_API_TENSOR_INFO_H_
#define TWOFOLD_SRC_API_TENSOR_INFO_H_

#include <vector>

#include "graph/graph.h"
#include "twofold/session.h"

namespace twofold {

std::vector<TensorInfo> input_infos(const Graph& graph);
std::vector<TensorInfo> output_infos(const Graph& graph);

}  // namespace twofold

#endif  // TWOFOLD_SRC_API_TENSOR_INFO_H_
