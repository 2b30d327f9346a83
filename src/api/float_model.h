// A float model from a file, ready to be calibrated.
#ifndef TWOFOLD_SRC_API_FLOAT_MODEL_H_
#define TWOFOLD_SRC_API_FLOAT_MODEL_H_

#include <filesystem>
#include <string>
#include <vector>

#include "graph/graph.h"

namespace twofold {

// Imports a model, up to `output_nodes` (end_at) where there are any. Throws Error, kInvalidArgument for one that is
// quantized already.
Graph import_float_model(const std::filesystem::path& path, const std::vector<std::string>& output_nodes = {});

// Makes what these nodes compute, or these tensors, the graph's outputs, and drops all behind them; nothing where they
// are the outputs already, or none are named. Throws Error(kNotFound) for a name that matches nothing.
void end_at(const std::vector<std::string>& output_nodes, Graph& graph);
// The first node that quantizes or dequantizes; kNone if the graph is float.
NodeId quantizing_node(const Graph& graph);

std::vector<std::string> node_names(const Graph& graph);

}  // namespace twofold

#endif  // TWOFOLD_SRC_API_FLOAT_MODEL_H_
