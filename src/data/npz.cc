#include "data/npz.h"

#include <zip.h>

#include <algorithm>
#include <array>
#include <string_view>

#include "base/cancellation.h"
#include "base/check.h"
#include "base/error.h"
#include "base/files.h"

namespace twofold {

namespace {

constexpr std::string_view kSuffix = ".npy";
// Deflate never shrinks data by more than this; what claims more is not worth allocating memory for.
constexpr uint64_t kMaxDeflateRatio = 1032;
// Bytes that are read at once; a job can be cancelled in between.
constexpr size_t kBlock = size_t{1} << 20;

// An archive over the mapped bytes, which must outlive it.
zip* open_archive(const MappedFile& file, const std::filesystem::path& path) {
  zip_error_t error;
  zip_error_init(&error);
  zip_source_t* source = zip_source_buffer_create(file.bytes().data(), file.bytes().size(), 0, &error);
  zip* archive = source == nullptr ? nullptr : zip_open_from_source(source, ZIP_RDONLY, &error);
  if (archive == nullptr) {
    if (source != nullptr) zip_source_free(source);
    const std::string reason = zip_error_strerror(&error);
    zip_error_fini(&error);
    throw_error(ErrorCode::kInvalidArgument, "'{}' is not an .npz archive: {}", path.string(), reason);
  }
  zip_error_fini(&error);
  return archive;
}

}  // namespace

NpzFile::NpzFile(const std::filesystem::path& path) : path_(path), file_(MappedFile::open(path)) {
  const std::unique_ptr<zip, void (*)(zip*)> archive(open_archive(*file_, path_), zip_discard);
  for (zip_int64_t i = 0; i < zip_get_num_entries(archive.get(), 0); ++i) {
    const char* name = zip_get_name(archive.get(), static_cast<zip_uint64_t>(i), ZIP_FL_ENC_GUESS);
    const std::string_view text = name == nullptr ? "" : name;
    if (text.ends_with(kSuffix)) keys_.emplace_back(text.substr(0, text.size() - kSuffix.size()));
  }
}

std::unique_ptr<const NpzArray> NpzFile::find(const std::string& key) const {
  std::unique_ptr<NpzArray> array(new NpzArray());
  array->file_ = file_;
  array->archive_ = open_archive(*file_, path_);
  array->source_ = fmt::format("{}[{}]", path_.string(), key);
  const zip_int64_t entry = zip_name_locate(array->archive_, (key + std::string(kSuffix)).c_str(), ZIP_FL_ENC_GUESS);
  if (entry < 0) return nullptr;
  array->entry_ = static_cast<uint64_t>(entry);
  zip_stat_t status;
  zip_stat_init(&status);
  constexpr zip_uint64_t kNeeded = ZIP_STAT_SIZE | ZIP_STAT_COMP_SIZE | ZIP_STAT_COMP_METHOD;
  if (zip_stat_index(array->archive_, array->entry_, 0, &status) != 0 || (status.valid & kNeeded) != kNeeded) {
    array->fail("is damaged");
  }
  if (status.comp_method != ZIP_CM_STORE && status.comp_method != ZIP_CM_DEFLATE) {
    array->fail("is compressed by a method other than deflate");
  }
  if (status.comp_size > file_->bytes().size() || status.size / kMaxDeflateRatio > status.comp_size) {
    array->fail("is damaged");
  }
  array->stored_ = status.comp_method == ZIP_CM_STORE;
  array->open_entry();
  std::vector<std::byte> prefix(std::min<uint64_t>(status.size, kMaxNpyHeader));
  array->read_bytes(prefix.data(), prefix.size());
  array->header_ = parse_npy_header(prefix, array->source_);
  if (array->header_.data_size() > status.size - array->header_.data_offset) array->fail("is truncated");
  return array;
}

NpzArray::~NpzArray() {
  if (stream_ != nullptr) zip_fclose(stream_);
  if (archive_ != nullptr) zip_discard(archive_);
}

void NpzArray::fail(const char* what) const {
  throw_error(ErrorCode::kInvalidArgument, "array '{}' {}", source_, what);
}

void NpzArray::open_entry() const {
  if (stream_ != nullptr) zip_fclose(stream_);
  stream_ = zip_fopen_index(archive_, entry_, 0);
  position_ = 0;
  if (stream_ == nullptr) fail(zip_strerror(archive_));
}

void NpzArray::read_bytes(std::byte* out, size_t size) const {
  while (size > 0) {
    throw_if_cancelled();
    const zip_int64_t got = zip_fread(stream_, out, std::min(size, kBlock));
    if (got <= 0) fail("is damaged");
    out += got;
    size -= static_cast<size_t>(got);
    position_ += static_cast<size_t>(got);
  }
}

void NpzArray::read(size_t offset, std::span<std::byte> out) const {
  TWOFOLD_CHECK(offset <= header_.data_size() && out.size() <= header_.data_size() - offset);
  const std::lock_guard<std::mutex> lock(mutex_);
  const size_t target = header_.data_offset + offset;
  if (stored_) {
    if (zip_fseek(stream_, static_cast<zip_int64_t>(target), SEEK_SET) != 0) fail("is damaged");
    position_ = target;
  } else if (target < position_) {
    open_entry();
  }
  std::array<std::byte, 16384> skipped;
  while (position_ < target) read_bytes(skipped.data(), std::min(skipped.size(), target - position_));
  read_bytes(out.data(), out.size());
}

Tensor NpzArray::tensor() const {
  Tensor raw(header_.dtype, header_.shape);
  read(0, {raw.mutable_bytes(), raw.byte_size()});
  if (header_.is_native()) return raw;
  return convert_npy_data(header_, {raw.bytes(), raw.byte_size()});
}

}  // namespace twofold
