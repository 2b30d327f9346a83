// Reading files whole or mapped, and writing them whole or not at all.
#ifndef TWOFOLD_SRC_BASE_FILES_H_
#define TWOFOLD_SRC_BASE_FILES_H_

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/output_path.h"
#include "base/temporary_file.h"

namespace twofold {

// A file mapped read-only into memory for as long as the object lives. Thread-safe.
class MappedFile {
 public:
  // Throws Error(kNotFound) or Error(kIo) that names the path, for what is no regular file (a pipe, a device), too;
  // Error(kInvalidArgument) where the job writes the file (job_outputs.h).
  static std::shared_ptr<const MappedFile> open(const std::filesystem::path& path);
  ~MappedFile();
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;

  std::span<const std::byte> bytes() const { return {data_, size_}; }
  // Lets the memory go that holds the whole pages of [begin, end) of the file; what is read there again comes from the
  // file again.
  void drop_pages(size_t begin, size_t end) const;

 private:
  MappedFile(const std::byte* data, size_t size) : data_(data), size_(size) {}
  const std::byte* data_;
  size_t size_;
};

// The whole text of a file. Throws Error(kNotFound) or Error(kIo).
std::string read_text_file(const std::filesystem::path& path);

// Writes a file that is there whole or not at all: it appears under its name in commit(), with the mode of the file
// that it replaces or the one that new files get, and without commit() nothing is left behind, however the process
// ends. Links are followed. Streams (output_path.h: devices, pipes, "-" for stdout) are written as it comes. Every
// failure (no folder, no permission, disk full) throws Error(kIo). Writing ends where the job is cancelled; commit()
// does not.
class AtomicFile {
 public:
  explicit AtomicFile(std::filesystem::path path);
  ~AtomicFile();
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;

  void write(const void* data, size_t size);
  // Bytes that have been written.
  uint64_t size() const { return size_; }
  bool is_stream() const { return temporary_ == nullptr; }
  // Waits until the disk has it, so that commit() leaves a whole file even where power fails.
  void sync();
  void commit();

 private:
  [[noreturn]] void fail(const char* what) const;

  const std::filesystem::path path_;  // as it was given
  OutputPath target_;
  std::unique_ptr<TemporaryFile> temporary_;  // null: a stream
  int descriptor_ = -1;
  uint64_t size_ = 0;
};

// Throws Error(kIo) if `path` cannot be written: a folder, in none, without permission; nothing is created. For jobs
// that take long and write at the end.
void check_writable(const std::filesystem::path& path);

// Makes a folder and those that it is in, where they are not there. Throws Error(kIo).
void make_folders(const std::filesystem::path& folder);

// write(), sync() and commit() in one step.
void write_file(const std::filesystem::path& path, std::string_view content);

}  // namespace twofold

#endif  // TWOFOLD_SRC_BASE_FILES_H_
