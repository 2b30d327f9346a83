#include "onnx/type_reader.h"

#include <onnx/onnx_pb.h>

#include "base/error.h"
#include "onnx/tensor_reader.h"

namespace twofold {

namespace {

TensorType read_tensor_type(const onnx::TypeProto_Tensor& proto) {
  TensorType type;
  type.dtype = static_cast<DType>(proto.elem_type());
  if (!proto.has_shape()) return type;
  type.shape.emplace();
  for (const onnx::TensorShapeProto_Dimension& dim : proto.shape().dim()) {
    // Some exporters write -1 for unknown.
    if (dim.has_dim_value() && dim.dim_value() >= 0) {
      type.shape->push_back({dim.dim_value(), ""});
    } else {
      type.shape->push_back({-1, dim.dim_param()});
    }
  }
  return type;
}

}  // namespace

TensorType read_type(const onnx::TypeProto& proto) {
  if (!proto.has_tensor_type()) return {};
  TensorType type = read_tensor_type(proto.tensor_type());
  return is_known(type.dtype) ? type : TensorType{};
}

TensorType read_input_type(const onnx::TypeProto& proto, const std::string& what) {
  switch (proto.value_case()) {
    case onnx::TypeProto::kTensorType: break;
    case onnx::TypeProto::VALUE_NOT_SET: throw_error(ErrorCode::kInvalidModel, "{} has no type", what);
    default: throw_error(ErrorCode::kUnsupported, "{} is not a tensor; Twofold supports tensors only", what);
  }
  read_dtype(proto.tensor_type().elem_type(), what);
  return read_tensor_type(proto.tensor_type());
}

}  // namespace twofold
