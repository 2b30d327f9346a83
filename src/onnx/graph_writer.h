// Turns Graphs into ONNX's messages.
#ifndef TWOFOLD_SRC_ONNX_GRAPH_WRITER_H_
#define TWOFOLD_SRC_ONNX_GRAPH_WRITER_H_

#include "graph/graph.h"
#include "onnx/tensor_writer.h"

namespace onnx {
class ModelProto;
}

namespace twofold {

// Fills everything but the producer and the metadata. Names:
//   - inputs and outputs of the model keep theirs. A value that an output stands for is written under the output's
//   name;
//     an Identity is added only where that cannot be: an output that is an input, or a second one of the same value;
//   - captures are outer names again, and what a body shares with a constant around it is not written twice;
//   - names of a body that an outer graph uses get a number behind them, since ONNX forbids shadowing.
// Throws Error(kUnsupported) for operators of domain "twofold".
void write_model(const Graph& graph, TensorWriter& tensors, onnx::ModelProto& model);

}  // namespace twofold

#endif  // TWOFOLD_SRC_ONNX_GRAPH_WRITER_H_
