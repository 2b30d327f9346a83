#include "data/raw_files.h"

#include <cstring>
#include <string>

#include "base/error.h"
#include "base/files.h"

namespace twofold {

namespace {

RawFormat format_of(const InputSpec& input, const DatasetOptions& options) {
  const auto it = options.raw.find(input.name);
  return it == options.raw.end() ? RawFormat() : it->second;
}

}  // namespace

std::optional<Shape> fixed_shape(const InputSpec& input, const DatasetOptions& options) {
  Shape shape = format_of(input, options).shape;
  if (shape.empty() && !input.type.shape) return std::nullopt;
  if (shape.empty()) shape.assign(input.type.shape->size(), -1);
  for (size_t i = 0; i < shape.size(); ++i) {
    if (shape[i] < 0 && input.type.shape && i < input.type.shape->size()) shape[i] = (*input.type.shape)[i].value;
    if (shape[i] < 0 && i == 0) shape[i] = 1;
    if (shape[i] < 0) return std::nullopt;
  }
  return shape;
}

DType raw_type(const std::filesystem::path& folder, const InputSpec& input, const DatasetOptions& options) {
  const DType said = format_of(input, options).dtype;
  if (said != DType::kUndefined) return said;
  // Of "calibration_data_f32/" the name is in front of the slash.
  const std::filesystem::path path = folder.has_filename() ? folder : folder.parent_path();
  const std::string name = path.filename().string();
  if (name.ends_with("_f32")) return DType::kFloat32;
  return name.ends_with("_uint8") ? DType::kUInt8 : DType::kUndefined;
}

Tensor load_raw(const std::filesystem::path& file, const InputSpec& input, DType dtype, const Shape& shape) {
  const auto mapped = MappedFile::open(file);
  Tensor tensor(dtype, shape);
  if (mapped->bytes().size() != tensor.byte_size()) {
    throw_error(
        ErrorCode::kInvalidArgument,
        "'{}' has {} bytes, but {} of shape {}, which input '{}' takes, has {}; a raw file holds one sample, and "
        "its type is that of cal_data_type or of the folder's name (_f32, _uint8)",
        file.string(), mapped->bytes().size(), to_string(dtype), to_string(shape), input.name, tensor.byte_size());
  }
  if (tensor.byte_size() > 0) std::memcpy(tensor.mutable_bytes(), mapped->bytes().data(), tensor.byte_size());
  return tensor;
}

}  // namespace twofold
