#include "twofold/dtype.h"

namespace twofold {

size_t byte_size(DType dtype) {
  switch (dtype) {
    case DType::kUInt8:
    case DType::kInt8:
    case DType::kBool: return 1;
    case DType::kUInt16:
    case DType::kInt16:
    case DType::kFloat16:
    case DType::kBFloat16: return 2;
    case DType::kFloat32:
    case DType::kInt32:
    case DType::kUInt32: return 4;
    case DType::kInt64:
    case DType::kUInt64:
    case DType::kFloat64: return 8;
    case DType::kUndefined: return 0;
  }
  return 0;
}

std::string_view to_string(DType dtype) {
  switch (dtype) {
    case DType::kUndefined: return "undefined";
    case DType::kFloat32: return "float32";
    case DType::kUInt8: return "uint8";
    case DType::kInt8: return "int8";
    case DType::kUInt16: return "uint16";
    case DType::kInt16: return "int16";
    case DType::kInt32: return "int32";
    case DType::kInt64: return "int64";
    case DType::kBool: return "bool";
    case DType::kFloat16: return "float16";
    case DType::kFloat64: return "float64";
    case DType::kUInt32: return "uint32";
    case DType::kUInt64: return "uint64";
    case DType::kBFloat16: return "bfloat16";
  }
  return "undefined";
}

bool is_known(DType dtype) { return byte_size(dtype) > 0; }

std::string_view to_string(QType qtype) {
  switch (qtype) {
    case QType::kInt8: return "int8";
    case QType::kInt16: return "int16";
    case QType::kEc: return "ec";
    case QType::kFloat16: return "float16";
    case QType::kFloat32: return "float32";
  }
  return "float32";
}

std::optional<QType> parse_qtype(std::string_view text) {
  for (QType qtype : {QType::kInt8, QType::kInt16, QType::kEc, QType::kFloat16, QType::kFloat32}) {
    if (text == to_string(qtype)) return qtype;
  }
  return std::nullopt;
}

bool is_integer(QType qtype) { return qtype <= QType::kEc; }

bool is_16bit(QType qtype) { return qtype == QType::kInt16 || qtype == QType::kEc; }

}  // namespace twofold
