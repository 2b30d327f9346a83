// NumPy's .npz files: zip archives of .npy files, stored (np.savez) or deflated (np.savez_compressed).
#ifndef TWOFOLD_SRC_DATA_NPZ_H_
#define TWOFOLD_SRC_DATA_NPZ_H_

#include <cstddef>
#include <filesystem>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <vector>

#include "data/npy.h"

struct zip;
struct zip_file;

namespace twofold {

// The bytes of one array in an archive, read from any offset on. Reading forward is cheap; in deflated data going back
// starts over. Thread-safe.
class NpzArray {
 public:
  ~NpzArray();
  NpzArray(const NpzArray&) = delete;
  NpzArray& operator=(const NpzArray&) = delete;

  const NpyHeader& header() const { return header_; }
  // Fills `out` with the elements' bytes from `offset` on. REQUIRES: offset + out.size() <= header().data_size().
  void read(size_t offset, std::span<std::byte> out) const;
  // The whole array.
  Tensor tensor() const;

 private:
  friend class NpzFile;
  NpzArray() = default;
  void open_entry() const;
  void read_bytes(std::byte* out, size_t size) const;
  [[noreturn]] void fail(const char* what) const;

  std::shared_ptr<const void> file_;
  zip* archive_ = nullptr;
  uint64_t entry_ = 0;
  bool stored_ = false;  // not compressed: the stream can be put to any position
  std::string source_;   // "path[key]"
  NpyHeader header_;
  mutable std::mutex mutex_;
  mutable zip_file* stream_ = nullptr;
  mutable size_t position_ = 0;  // of the stream, from the start of the entry
};

class NpzFile {
 public:
  // Throws Error(kNotFound), Error(kIo), or Error(kInvalidArgument) if the file is not a zip archive.
  explicit NpzFile(const std::filesystem::path& path);

  // Names of the arrays in the order of the archive, without ".npy".
  const std::vector<std::string>& keys() const { return keys_; }
  // nullptr if there is no such array. Throws like parse_npy_header, and Error(kInvalidArgument) if the entry is
  // encrypted, damaged, or not as long as its header says.
  std::unique_ptr<const NpzArray> find(const std::string& key) const;

 private:
  std::filesystem::path path_;
  std::shared_ptr<const class MappedFile> file_;
  std::vector<std::string> keys_;
};

}  // namespace twofold

#endif  // TWOFOLD_SRC_DATA_NPZ_H_
