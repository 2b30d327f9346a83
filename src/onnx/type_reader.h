// Reads ONNX's value types.
#ifndef TWOFOLD_SRC_ONNX_TYPE_READER_H_
#define TWOFOLD_SRC_ONNX_TYPE_READER_H_

#include <string>

#include "graph/graph.h"

namespace onnx {
class TypeProto;
}

namespace twofold {

// What is said of a value inside the graph: nothing known where it is no tensor, or one of a type without a DType.
TensorType read_type(const onnx::TypeProto& proto);

// The type of an input of the model. Throws Error(kUnsupported) naming `what` if it is no tensor of a type in DType.
TensorType read_input_type(const onnx::TypeProto& proto, const std::string& what);

}  // namespace twofold

#endif  // TWOFOLD_SRC_ONNX_TYPE_READER_H_
