// Bytes say what tensor is expected, and are a device's dump of it, as .npy or raw: whoever reads it gets just the
// elements that are there, or a twofold::Error.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <new>

#include "data/dumped_tensor.h"
#include "data/npy.h"
#include "property.h"

namespace twofold {
namespace {

constexpr DType kTypes[] = {DType::kFloat32, DType::kInt8,  DType::kUInt8,   DType::kInt16,
                            DType::kUInt16,  DType::kInt64, DType::kFloat16, DType::kBool};

// Bytes aligned as those of a mapped file, for SIMD, and ending where the sanitizer sees it.
class File {
 public:
  explicit File(std::span<const uint8_t> bytes)
      : size_(bytes.size()), bytes_(static_cast<std::byte*>(::operator new(size_, kAlignment)), [](std::byte* p) {
          ::operator delete(p, kAlignment);
        }) {
    if (!bytes.empty()) std::memcpy(bytes_.get(), bytes.data(), bytes.size());
  }

  std::span<const std::byte> bytes() const { return {bytes_.get(), size_}; }
  std::shared_ptr<const void> owner() const { return bytes_; }

 private:
  static constexpr std::align_val_t kAlignment{64};
  size_t size_;
  std::shared_ptr<std::byte> bytes_;
};

// Where the file has element `i` of an array.
int64_t place_of(int64_t i, const NpyHeader& header) {
  if (!header.fortran_order) return i;
  int64_t stride = num_elements(header.shape), place = 0;
  for (size_t axis = header.shape.size(); axis-- > 0;) {
    stride /= header.shape[axis];
    place += i % header.shape[axis] * stride;
    i /= header.shape[axis];
  }
  return place;
}

bool has_elements_of(const Tensor& tensor, std::span<const std::byte> data, const NpyHeader& header) {
  const size_t size = byte_size(header.dtype);
  for (int64_t i = 0; i < tensor.size(); ++i) {
    const std::byte* there = data.data() + static_cast<size_t>(place_of(i, header)) * size;
    const std::byte* here = tensor.bytes() + static_cast<size_t>(i) * size;
    if (!(header.swapped ? std::equal(here, here + size, std::reverse_iterator(there + size))
                         : std::equal(here, here + size, there))) {
      return false;
    }
  }
  return true;
}

// The array in the file, which must be what its header says.
std::optional<Tensor> read_npy(const File& file) {
  const auto header = result_or_error([&] { return parse_npy_header(file.bytes(), "fuzz"); });
  const auto tensor = result_or_error([&] { return parse_npy(file.bytes(), file.owner(), "fuzz"); });
  const bool whole = header && header->data_offset <= file.bytes().size() &&
                     header->data_size() <= file.bytes().size() - header->data_offset;
  require(tensor.has_value() == whole, "a file is read if and only if it holds all that its header says");
  if (!tensor) return tensor;
  require(tensor->dtype() == header->dtype && tensor->shape() == header->shape, "an array is what its header says");
  require(has_elements_of(*tensor, file.bytes().subspan(header->data_offset), *header), "its elements are the file's");
  return tensor;
}

bool is_same(const Tensor& tensor, std::span<const std::byte> bytes) {
  return std::ranges::equal(std::span(tensor.bytes(), tensor.byte_size()), bytes);
}

void read_dumped_npy(const File& file, const ExpectedTensor& expected) {
  const std::optional<Tensor> array = read_npy(file);
  const auto tensor =
      result_or_error([&] { return parse_dumped_tensor(file.bytes(), file.owner(), "f.npy", expected); });
  if (!tensor) return;
  require(array && tensor->dtype() == array->dtype() && tensor->shape() == array->shape() &&
              is_same(*tensor, {array->bytes(), array->byte_size()}),
          "a dumped array is the file's");
  const bool is_real = tensor->dtype() == DType::kFloat32 || tensor->dtype() == DType::kFloat64;
  require(is_real || tensor->dtype() == expected.dtype, "a dumped array has real numbers or the expected type");
  require(tensor->size() == num_elements(expected.shape), "a dumped array has the expected size");
}

void read_dumped_elements(const File& file, const ExpectedTensor& expected) {
  const auto tensor = result_or_error([&] { return parse_dumped_tensor(file.bytes(), nullptr, "f.bin", expected); });
  const auto fits = [&](DType dtype) {
    return static_cast<size_t>(num_elements(expected.shape)) * byte_size(dtype) == file.bytes().size();
  };
  require(tensor.has_value() == (fits(expected.dtype) || fits(DType::kFloat32)), "elements are read if they fit");
  if (!tensor) return;
  require(tensor->dtype() == (fits(expected.dtype) ? expected.dtype : DType::kFloat32),
          "elements have the expected type, or else are real");
  require(tensor->shape() == expected.shape && is_same(*tensor, file.bytes()), "elements are the file's");
}

}  // namespace
}  // namespace twofold

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace twofold;
  std::span<const uint8_t> rest(data, size);
  const auto byte = [&] {
    const uint8_t first = rest.empty() ? 0 : rest.front();
    rest = rest.subspan(rest.empty() ? 0 : 1);
    return first;
  };
  const bool is_npy = byte() % 2 == 0;
  ExpectedTensor expected{"t", Shape(byte() % 4), kTypes[byte() % std::size(kTypes)]};
  for (int64_t& dim : expected.shape) dim = byte() % 6;
  const File file(rest);
  is_npy ? read_dumped_npy(file, expected) : read_dumped_elements(file, expected);
  return 0;
}
