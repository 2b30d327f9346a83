// Reads ONNX's attributes, and Constant nodes, which are attributes in disguise.
#ifndef TWOFOLD_SRC_ONNX_ATTRIBUTE_READER_H_
#define TWOFOLD_SRC_ONNX_ATTRIBUTE_READER_H_

#include <map>
#include <string>

#include "graph/attribute.h"
#include "onnx/tensor_reader.h"

namespace onnx {
class AttributeProto;
}

namespace twofold {

class AttributeReader {
 public:
  explicit AttributeReader(TensorReader& tensors) : tensors_(tensors) {}

  // Everything but graphs. An attribute may be read again (functions are inlined more than once): tensors share bytes.
  // `what` begins messages, e.g. "attribute 'pads' of node 'p'". Throws Error(kUnsupported) for lists of tensors and
  // types.
  Attribute read(onnx::AttributeProto& proto, const std::string& what);
  // The value of a Constant node from the one attribute that it has.
  Tensor read_constant(onnx::AttributeProto& proto, const std::string& what);

  static bool is_graph(const onnx::AttributeProto& proto);

 private:
  Tensor read_tensor(onnx::TensorProto& proto, const std::string& what);

  TensorReader& tensors_;
  std::map<const void*, Tensor> read_before_;  // by message
};

}  // namespace twofold

#endif  // TWOFOLD_SRC_ONNX_ATTRIBUTE_READER_H_
