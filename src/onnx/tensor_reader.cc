#include "onnx/tensor_reader.h"

#include <onnx/onnx_pb.h>

#include <algorithm>
#include <charconv>
#include <cstring>
#include <limits>

#include "base/error.h"

namespace twofold {

namespace {

constexpr int64_t kMaxDensifiedBytes = int64_t{256} << 20;

// Names of the types of TensorProto.DataType that have no DType.
std::string foreign_type_name(int data_type) {
  switch (data_type) {
    case 0: return "undefined";
    case 8: return "string";
    case 14: return "complex64";
    case 15: return "complex128";
    case 17: return "float8e4m3fn";
    case 18: return "float8e4m3fnuz";
    case 19: return "float8e5m2";
    case 20: return "float8e5m2fnuz";
    case 21: return "uint4";
    case 22: return "int4";
    case 23: return "float4e2m1";
    case 24: return "float8e8m0";
    case 25: return "uint2";
    case 26: return "int2";
    default: return fmt::format("number {}", data_type);
  }
}

// The product without zeros must fit too, so that no later multiplication of dimensions can overflow.
Shape read_shape(const google::protobuf::RepeatedField<int64_t>& dims, DType dtype, const std::string& what) {
  Shape shape(dims.begin(), dims.end());
  if (shape.size() > 64) throw_error(ErrorCode::kInvalidModel, "{} has {} dimensions", what, shape.size());
  auto bytes = static_cast<int64_t>(byte_size(dtype));
  for (int64_t dim : shape) {
    if (dim < 0) throw_error(ErrorCode::kInvalidModel, "{} has the negative dimension {}", what, dim);
    if (dim > 0 && __builtin_mul_overflow(bytes, dim, &bytes)) {
      throw_error(ErrorCode::kInvalidModel, "{} of shape {} has too many elements", what, to_string(shape));
    }
  }
  return shape;
}

[[noreturn]] void throw_size(const std::string& what, DType dtype, const Shape& shape, const char* unit, size_t there,
                             size_t needed) {
  throw_error(ErrorCode::kInvalidModel, "{} is {} of shape {}, which takes {} {}, but the file holds {}", what,
              to_string(dtype), to_string(shape), needed, unit, there);
}

// A typed field, each element checked to fit T.
template <typename T, typename Field>
Tensor read_field(DType dtype, const Shape& shape, const Field& field, const std::string& what) {
  const auto count = static_cast<size_t>(num_elements(shape));
  if (static_cast<size_t>(field.size()) != count) {
    throw_size(what, dtype, shape, "values", static_cast<size_t>(field.size()), count);
  }
  Tensor tensor(dtype, shape);
  auto* out = reinterpret_cast<T*>(tensor.mutable_bytes());
  for (size_t i = 0; i < count; ++i) {
    const auto value = field[static_cast<int>(i)];
    if constexpr (std::is_integral_v<T>) {
      if (!std::in_range<T>(value)) {
        throw_error(ErrorCode::kInvalidModel, "{} holds the value {}, which is out of range for {}", what, value,
                    to_string(dtype));
      }
    }
    out[i] = static_cast<T>(value);
  }
  return tensor;
}

Tensor read_typed(const onnx::TensorProto& proto, DType dtype, const Shape& shape, const std::string& what) {
  switch (dtype) {
    case DType::kFloat32: return read_field<float>(dtype, shape, proto.float_data(), what);
    case DType::kFloat64: return read_field<double>(dtype, shape, proto.double_data(), what);
    case DType::kInt8: return read_field<int8_t>(dtype, shape, proto.int32_data(), what);
    case DType::kBool:
    case DType::kUInt8: return read_field<uint8_t>(dtype, shape, proto.int32_data(), what);
    case DType::kInt16: return read_field<int16_t>(dtype, shape, proto.int32_data(), what);
    case DType::kFloat16:
    case DType::kBFloat16:
    case DType::kUInt16: return read_field<uint16_t>(dtype, shape, proto.int32_data(), what);
    case DType::kInt32: return read_field<int32_t>(dtype, shape, proto.int32_data(), what);
    case DType::kInt64: return read_field<int64_t>(dtype, shape, proto.int64_data(), what);
    case DType::kUInt32: return read_field<uint32_t>(dtype, shape, proto.uint64_data(), what);
    case DType::kUInt64: return read_field<uint64_t>(dtype, shape, proto.uint64_data(), what);
    case DType::kUndefined: break;
  }
  throw_error(ErrorCode::kUnsupported, "{} has no type", what);
}

// Bytes that someone owns, copied only where they are not aligned for their type.
Tensor wrap_or_copy(DType dtype, Shape shape, const void* bytes, size_t size, std::shared_ptr<const void> owner) {
  if (size > 0 && reinterpret_cast<uintptr_t>(bytes) % byte_size(dtype) == 0) {
    return Tensor::wrap(dtype, std::move(shape), bytes, std::move(owner));
  }
  Tensor copy(dtype, std::move(shape));
  if (size > 0) std::memcpy(copy.mutable_bytes(), bytes, size);
  return copy;
}

// Any non-zero byte means true; kernels may rely on 0 and 1.
Tensor normalize_bool(Tensor tensor) {
  if (tensor.dtype() != DType::kBool) return tensor;
  const std::span<const uint8_t> bytes = std::as_const(tensor).data<uint8_t>();
  if (std::all_of(bytes.begin(), bytes.end(), [](uint8_t b) { return b <= 1; })) return tensor;
  for (uint8_t& b : tensor.mutable_data<uint8_t>()) b = b != 0;
  return tensor;
}

int64_t read_number(const std::string& text, const char* key, const std::string& what) {
  int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size() || number < 0) {
    throw_error(ErrorCode::kInvalidModel, "{}: '{}' is no valid {} of external data", what, text, key);
  }
  return number;
}

bool is_below(const std::filesystem::path& folder, const std::filesystem::path& path) {
  return std::mismatch(folder.begin(), folder.end(), path.begin(), path.end()).first == folder.end();
}

}  // namespace

DType read_dtype(int data_type, const std::string& what) {
  const auto dtype = static_cast<DType>(data_type);
  if (is_known(dtype)) return dtype;
  throw_error(ErrorCode::kUnsupported, "{} is of type {}, which Twofold does not support", what,
              foreign_type_name(data_type));
}

Tensor TensorReader::read(onnx::TensorProto& proto, const std::string& what) {
  const DType dtype = read_dtype(proto.data_type(), what);
  Shape shape = read_shape(proto.dims(), dtype, what);
  const size_t bytes = static_cast<size_t>(num_elements(shape)) * byte_size(dtype);
  if (proto.has_segment()) throw_error(ErrorCode::kUnsupported, "{} is split into segments", what);
  if (proto.data_location() == onnx::TensorProto_DataLocation_EXTERNAL) {
    return normalize_bool(read_external(proto, dtype, std::move(shape), bytes, what));
  }
  if (!proto.has_raw_data()) return normalize_bool(read_typed(proto, dtype, shape, what));
  if (proto.raw_data().size() != bytes) throw_size(what, dtype, shape, "bytes", proto.raw_data().size(), bytes);
  const std::shared_ptr<const std::string> raw(proto.release_raw_data());
  return normalize_bool(wrap_or_copy(dtype, std::move(shape), raw->data(), bytes, raw));
}

std::filesystem::path TensorReader::resolve(const std::string& location, const std::string& what) const {
  if (folders_.empty()) {
    throw_error(ErrorCode::kInvalidArgument,
                "{} has its data in '{}', but the model was given without a folder; import it from a file", what,
                location);
  }
  const std::filesystem::path relative(location);
  std::error_code error;
  const auto path = std::filesystem::weakly_canonical(folders_.front() / relative, error);
  const bool below = !error && std::any_of(folders_.begin(), folders_.end(), [&](const std::filesystem::path& folder) {
    return is_below(std::filesystem::weakly_canonical(folder, error), path);
  });
  const bool climbs = std::find(relative.begin(), relative.end(), "..") != relative.end();
  if (location.empty() || location.find('\0') != std::string::npos || relative.is_absolute() || climbs || !below) {
    throw_error(ErrorCode::kInvalidModel, "{} has its data in '{}', which is not inside the model's folder", what,
                location);
  }
  return path;
}

Tensor TensorReader::read_external(const onnx::TensorProto& proto, DType dtype, Shape shape, size_t bytes,
                                   const std::string& what) {
  std::string location;
  size_t offset = 0, length = bytes;
  for (const onnx::StringStringEntryProto& entry : proto.external_data()) {
    if (entry.key() == "location") location = entry.value();
    if (entry.key() == "offset") offset = static_cast<size_t>(read_number(entry.value(), "offset", what));
    if (entry.key() == "length") length = static_cast<size_t>(read_number(entry.value(), "length", what));
  }
  if (length != bytes) throw_size(what, dtype, shape, "bytes", length, bytes);
  const std::filesystem::path path = resolve(location, what);
  std::shared_ptr<const MappedFile>& file = files_[path];
  try {
    if (file == nullptr) file = MappedFile::open(path);
  } catch (const Error& error) {
    throw_error(error.code(), "{}: external data: {}", what, error.what());
  }
  if (offset > file->bytes().size() || bytes > file->bytes().size() - offset) {
    throw_error(ErrorCode::kInvalidModel, "{} takes {} bytes at offset {} of '{}', which has only {}; is it truncated?",
                what, bytes, offset, path.string(), file->bytes().size());
  }
  return wrap_or_copy(dtype, std::move(shape), file->bytes().data() + offset, bytes, file);
}

Tensor TensorReader::read_sparse(onnx::SparseTensorProto& proto, const std::string& what) {
  const Tensor values = read(*proto.mutable_values(), what);
  const Tensor indices = read(*proto.mutable_indices(), "the indices of " + what);
  const Shape shape = read_shape(proto.dims(), values.dtype(), what);
  const int64_t size = num_elements(shape), element = static_cast<int64_t>(byte_size(values.dtype()));
  if (size > kMaxDensifiedBytes / element) {
    throw_error(ErrorCode::kResourceExhausted, "{} is sparse and would take more than {} bytes as a dense tensor", what,
                kMaxDensifiedBytes);
  }
  const auto rank = static_cast<int64_t>(shape.size());
  const bool linear = indices.rank() == 1;
  if (indices.dtype() != DType::kInt64 || indices.size() != values.size() * (linear ? 1 : rank) ||
      (!linear && (indices.rank() != 2 || indices.dim(1) != rank))) {
    throw_error(ErrorCode::kInvalidModel, "{} has {} values, but indices of shape {} and type {}", what, values.size(),
                to_string(indices.shape()), to_string(indices.dtype()));
  }
  Tensor dense(values.dtype(), shape);
  std::memset(dense.mutable_bytes(), 0, dense.byte_size());
  const std::span<const int64_t> index = indices.data<int64_t>();
  for (int64_t i = 0; i < values.size(); ++i) {
    int64_t position = linear ? index[static_cast<size_t>(i)] : 0;
    bool inside = position >= 0 && position < size;
    for (int64_t axis = 0; !linear && axis < rank; ++axis) {
      const int64_t k = index[static_cast<size_t>(i * rank + axis)], dim = shape[static_cast<size_t>(axis)];
      inside = inside && k >= 0 && k < dim;
      if (inside) position = position * dim + k;
    }
    if (!inside) throw_error(ErrorCode::kInvalidModel, "{} has an index outside its shape {}", what, to_string(shape));
    std::memcpy(dense.mutable_bytes() + position * element, values.bytes() + i * element, static_cast<size_t>(element));
  }
  return dense;
}

}  // namespace twofold
