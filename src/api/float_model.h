// A float model from a file, ready to be calibrated.
#ifndef TWOFOLD_SRC_API_FLOAT_MODEL_H_
#define TWOFOLD_SRC_API_FLOAT_MODEL_H_

#include <filesystem>
#include <string>
#include <vector>

#include "graph/graph.h"

namespace twofold {

// Imports a model. Throws Error, kInvalidArgument for one that is quantized already.
Graph import_float_model(const std::filesystem::path& path);
// The first node that quantizes or dequantizes; kNone if the graph is float.
NodeId quantizing_node(const Graph& graph);

std::vector<std::string> node_names(const Graph& graph);

}  // namespace twofold

#endif  // TWOFOLD_SRC_API_FLOAT_MODEL_H_
