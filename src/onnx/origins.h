// Which of the original model's nodes each node stands for, kept in the file's metadata: ONNX has no place for it in a
// node that every reader keeps.
#ifndef TWOFOLD_SRC_ONNX_ORIGINS_H_
#define TWOFOLD_SRC_ONNX_ORIGINS_H_

#include <map>
#include <string>
#include <vector>

#include "graph/graph.h"

namespace twofold {

inline constexpr const char* kOriginsKey = "twofold.origins";

// By node; a node of a body is called "<node>/<attribute>/<node of the body>".
using OriginsByNode = std::map<std::string, std::vector<std::string>>;

// The beginning of the names of nodes of a body.
std::string origins_prefix(const std::string& prefix, const std::string& node, const std::string& attribute);

// {"node": ["origin", ...], ...} of the nodes whose origins are not just themselves; empty if there are none.
std::string write_origins(const Graph& graph);

// Throws Error(kInvalidModel) if the text is not of the above form.
OriginsByNode read_origins(const std::string& text);

}  // namespace twofold

#endif  // TWOFOLD_SRC_ONNX_ORIGINS_H_
