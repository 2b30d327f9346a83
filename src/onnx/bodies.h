#ifndef TWOFOLD_SRC_ONNX_BODIES_H_
#define TWOFOLD_SRC_ONNX_BODIES_H_

#include "graph/graph.h"

namespace twofold {

// Every body of an If, Loop or Scan of the graph becomes what `change` makes of a copy: bodies are shared and constant.
void change_bodies(Graph& graph, void (*change)(Graph&));

}  // namespace twofold

#endif  // TWOFOLD_SRC_ONNX_BODIES_H_
