#include "onnx/attribute_reader.h"

#include <onnx/onnx_pb.h>

#include "base/error.h"

namespace twofold {

namespace {

// Old files leave the type out; then the field that is there tells.
int type_of(const onnx::AttributeProto& proto) {
  using Proto = onnx::AttributeProto;
  if (proto.type() != Proto::UNDEFINED) return proto.type();
  if (proto.has_f()) return Proto::FLOAT;
  if (proto.has_i()) return Proto::INT;
  if (proto.has_s()) return Proto::STRING;
  if (proto.has_t()) return Proto::TENSOR;
  if (proto.has_g()) return Proto::GRAPH;
  if (proto.floats_size() > 0) return Proto::FLOATS;
  if (proto.ints_size() > 0) return Proto::INTS;
  if (proto.strings_size() > 0) return Proto::STRINGS;
  return Proto::UNDEFINED;
}

}  // namespace

bool AttributeReader::is_graph(const onnx::AttributeProto& proto) {
  return type_of(proto) == onnx::AttributeProto::GRAPH;
}

Attribute AttributeReader::read(onnx::AttributeProto& proto, const std::string& what) {
  using Proto = onnx::AttributeProto;
  switch (type_of(proto)) {
    case Proto::FLOAT: return proto.f();
    case Proto::INT: return int64_t{proto.i()};
    case Proto::STRING: return proto.s();
    case Proto::TENSOR: return read_tensor(*proto.mutable_t(), what);
    case Proto::FLOATS: return std::vector<float>(proto.floats().begin(), proto.floats().end());
    case Proto::INTS: return std::vector<int64_t>(proto.ints().begin(), proto.ints().end());
    case Proto::STRINGS: return std::vector<std::string>(proto.strings().begin(), proto.strings().end());
    case Proto::UNDEFINED: throw_error(ErrorCode::kInvalidModel, "{} has neither a type nor a value", what);
    default: throw_error(ErrorCode::kUnsupported, "{} is of a type that Twofold does not support", what);
  }
}

Tensor AttributeReader::read_constant(onnx::AttributeProto& proto, const std::string& what) {
  if (proto.name() == "sparse_value") return tensors_.read_sparse(*proto.mutable_sparse_tensor(), what);
  const Attribute value = read(proto, what);
  if (const auto* tensor = std::get_if<Tensor>(&value)) return *tensor;
  if (const auto* f = std::get_if<float>(&value)) return Tensor::scalar(*f);
  if (const auto* i = std::get_if<int64_t>(&value)) return Tensor::scalar(*i);
  if (const auto* list = std::get_if<std::vector<float>>(&value)) {
    return Tensor::from<float>({static_cast<int64_t>(list->size())}, *list);
  }
  if (const auto* list = std::get_if<std::vector<int64_t>>(&value)) {
    return Tensor::from<int64_t>({static_cast<int64_t>(list->size())}, *list);
  }
  throw_error(ErrorCode::kUnsupported, "{} is a string, which Twofold does not support", what);
}

Tensor AttributeReader::read_tensor(onnx::TensorProto& proto, const std::string& what) {
  const auto [it, fresh] = read_before_.try_emplace(&proto);
  if (fresh) it->second = tensors_.read(proto, what);
  return it->second;
}

}  // namespace twofold
