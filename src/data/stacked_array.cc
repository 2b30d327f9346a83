#include "data/stacked_array.h"

#include <cstring>
#include <fstream>
#include <mutex>
#include <vector>

#include "base/check.h"
#include "base/error.h"
#include "base/job_outputs.h"
#include "data/prepare_input.h"

namespace twofold {

namespace {

// Arrays up to this size are read once.
constexpr size_t kSmallArray = size_t{64} << 20;

// The array of an .npy file, read through a stream: mapped pages would count as this process's memory.
class NpyRows final : public StackedArray {
 public:
  NpyRows(const std::filesystem::path& path, const InputSpec& input) : path_(path.string()) {
    check_not_output(path);
    if (!std::filesystem::is_regular_file(path))
      throw_error(ErrorCode::kIo, "cannot read '{}': it is not a regular file", path_);
    stream_.open(path, std::ios::binary);
    if (!stream_) throw_error(ErrorCode::kIo, "cannot open '{}'", path_);
    std::vector<std::byte> prefix(std::min<uintmax_t>(std::filesystem::file_size(path), kMaxNpyHeader));
    read_bytes(0, prefix);
    const NpyHeader header = parse_npy_header(prefix, path_);
    if (header.data_size() > std::filesystem::file_size(path) - header.data_offset) {
      throw_error(ErrorCode::kInvalidArgument, "'{}' is truncated: {}{} takes {} bytes, but {} are there", path_,
                  to_string(header.dtype), to_string(header.shape), header.data_size(),
                  std::filesystem::file_size(path) - header.data_offset);
    }
    data_offset_ = header.data_offset;
    set_header(header, input, path_);
  }

 private:
  void read(size_t offset, std::span<std::byte> out) const override { read_bytes(data_offset_ + offset, out); }

  void read_bytes(size_t offset, std::span<std::byte> out) const {
    const std::lock_guard<std::mutex> lock(mutex_);
    stream_.clear();
    stream_.seekg(static_cast<std::streamoff>(offset));
    stream_.read(reinterpret_cast<char*>(out.data()), static_cast<std::streamsize>(out.size()));
    if (!stream_) throw_error(ErrorCode::kIo, "cannot read '{}'", path_);
  }

  std::string path_;
  size_t data_offset_ = 0;
  mutable std::mutex mutex_;
  mutable std::ifstream stream_;
};

class NpzRows final : public StackedArray {
 public:
  NpzRows(std::unique_ptr<const NpzArray> array, const InputSpec& input, const std::string& source)
      : array_(std::move(array)) {
    set_header(array_->header(), input, source);
  }

 private:
  void read(size_t offset, std::span<std::byte> out) const override { array_->read(offset, out); }

  std::unique_ptr<const NpzArray> array_;
};

struct Cut {
  int64_t num_samples;
  Shape sample_shape;
};

Cut cut_first_axis(const Shape& shape, const InputSpec& input, const std::string& source) {
  const auto& expected = input.type.shape;
  const size_t rank = expected ? expected->size() : shape.size();
  Shape rest = shape.empty() ? shape : Shape(shape.begin() + 1, shape.end());
  if (shape.size() == rank + 1) return {shape[0], rest};
  const bool one_by_one = rank > 0 && (!expected || expected->front().value == 1 || expected->front().value < 0);
  if (shape.size() + 1 == rank && one_by_one) return {1, shape};  // without its batch
  if (shape.size() != rank) {
    throw_error(ErrorCode::kInvalidArgument,
                "{}: input '{}' expects samples of shape {}, but the array has shape {}; stack the samples along a "
                "first axis",
                source, input.name, to_string(input.type), to_string(shape));
  }
  if (!one_by_one) return {1, shape};
  rest.insert(rest.begin(), 1);
  return {shape[0], rest};
}

}  // namespace

void StackedArray::set_header(const NpyHeader& header, const InputSpec& input, const std::string& source) {
  dtype_ = header.dtype;
  Cut cut = cut_first_axis(header.shape, input, source);
  num_samples_ = cut.num_samples;
  sample_shape_ = std::move(cut.sample_shape);
  if (header.is_native() && header.data_size() > kSmallArray) return;
  Tensor raw(header.dtype, header.shape);
  read(0, {raw.mutable_bytes(), raw.byte_size()});
  whole_ = header.is_native() ? raw : convert_npy_data(header, {raw.bytes(), raw.byte_size()});
}

Tensor StackedArray::sample(int64_t i) const {
  TWOFOLD_CHECK(i >= 0 && i < num_samples_);
  Tensor result(dtype_, sample_shape_);
  const size_t offset = static_cast<size_t>(i) * result.byte_size();
  if (!whole_.defined()) {
    read(offset, {result.mutable_bytes(), result.byte_size()});
  } else if (result.size() > 0) {
    std::memcpy(result.mutable_bytes(), whole_.bytes() + offset, result.byte_size());
  }
  return result;
}

std::unique_ptr<StackedArray> StackedArray::from_npy(const std::filesystem::path& path, const InputSpec& input) {
  return std::make_unique<NpyRows>(path, input);
}

std::unique_ptr<StackedArray> StackedArray::from_npz(std::unique_ptr<const NpzArray> array, const InputSpec& input,
                                                     const std::string& source) {
  return std::make_unique<NpzRows>(std::move(array), input, source);
}

}  // namespace twofold
