// Turns ONNX's messages into Graphs: names into values, local functions into their nodes, bodies into graphs with
// explicit captures.
#ifndef TWOFOLD_SRC_ONNX_GRAPH_READER_H_
#define TWOFOLD_SRC_ONNX_GRAPH_READER_H_

#include <filesystem>
#include <vector>

#include "graph/graph.h"
#include "onnx/origins.h"

namespace onnx {
class ModelProto;
}

namespace twofold {

// Bodies of If, Loop and Scan in each other. Whatever walks a graph calls itself for them.
inline constexpr int kMaxBodyDepth = 64;

// Reads and upgrades the main graph of `model`, whose raw data moves out of it. External data is looked up in the
// first of `folders` and may lie below any of them. Nodes in `origins` get those. Errors name the node, tensor or
// function, not the file.
Graph read_model(onnx::ModelProto& model, const std::vector<std::filesystem::path>& folders,
                 const OriginsByNode& origins);

}  // namespace twofold

#endif  // TWOFOLD_SRC_ONNX_GRAPH_READER_H_
