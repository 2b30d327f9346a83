#include "data/dumped_tensor.h"

#include <algorithm>
#include <cstring>

#include "base/error.h"
#include "base/files.h"
#include "data/npy.h"

namespace twofold {

namespace {

namespace fs = std::filesystem;

Shape without_ones(Shape shape) {
  std::erase(shape, 1);
  return shape;
}

Tensor parse_array(std::span<const std::byte> file, std::shared_ptr<const void> owner, const fs::path& path,
                   const ExpectedTensor& expected) {
  Tensor tensor = parse_npy(file, std::move(owner), path.string());
  // A list has no shape of its own; dimensions of 1 are often left out.
  const bool fits = tensor.rank() == 1 ? tensor.size() == num_elements(expected.shape)
                                       : without_ones(tensor.shape()) == without_ones(expected.shape);
  if (!fits) {
    throw_error(ErrorCode::kInvalidArgument, "{}: its shape is {}, and tensor '{}' has shape {}", path.string(),
                to_string(tensor.shape()), expected.name, to_string(expected.shape));
  }
  const bool is_real = tensor.dtype() == DType::kFloat32 || tensor.dtype() == DType::kFloat64;
  if (!is_real && tensor.dtype() != expected.dtype) {
    throw_error(ErrorCode::kInvalidArgument, "{}: its elements are {}, and the model has tensor '{}' as {}",
                path.string(), to_string(tensor.dtype()), expected.name, to_string(expected.dtype));
  }
  return tensor;
}

Tensor parse_elements(std::span<const std::byte> file, const fs::path& path, const ExpectedTensor& expected) {
  std::vector<DType> dtypes = {expected.dtype};
  if (expected.dtype != DType::kFloat32) dtypes.push_back(DType::kFloat32);
  const auto count = static_cast<size_t>(num_elements(expected.shape));
  std::string sizes;
  for (const DType dtype : dtypes) {
    const size_t size = count * byte_size(dtype);
    if (size == file.size()) {
      Tensor tensor(dtype, expected.shape);
      if (size > 0) std::memcpy(tensor.mutable_bytes(), file.data(), size);
      return tensor;
    }
    sizes += fmt::format("{}{} ({})", sizes.empty() ? "" : " or ", size, to_string(dtype));
  }
  throw_error(ErrorCode::kInvalidArgument, "{}: {} bytes, and the {} elements of tensor '{}' are {}", path.string(),
              file.size(), count, expected.name, sizes);
}

}  // namespace

Tensor parse_dumped_tensor(std::span<const std::byte> file, std::shared_ptr<const void> owner, const fs::path& path,
                           const ExpectedTensor& expected) {
  return path.extension() == ".npy" ? parse_array(file, std::move(owner), path, expected)
                                    : parse_elements(file, path, expected);
}

Tensor load_dumped_tensor(const fs::path& path, const ExpectedTensor& expected) {
  const auto file = MappedFile::open(path);
  return parse_dumped_tensor(file->bytes(), file, path, expected);
}

}  // namespace twofold
