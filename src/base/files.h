// Reading files whole or mapped, and writing them whole or not at all.
#ifndef TWOFOLD_SRC_BASE_FILES_H_
#define TWOFOLD_SRC_BASE_FILES_H_

#include <cstddef>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace twofold {

// A file mapped read-only into memory for as long as the object lives. Thread-safe.
class MappedFile {
 public:
  // Throws Error(kNotFound) or Error(kIo) that names the path.
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

// Writes to a temporary file beside `path` and renames it over `path` in commit(), so that nobody ever sees half a
// file; without commit() nothing is left behind. Every failure (no folder, no permission, disk full) throws Error(kIo).
// Writing ends where the job is cancelled; commit() does not.
class AtomicFile {
 public:
  explicit AtomicFile(std::filesystem::path path);
  ~AtomicFile();
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;

  void write(const void* data, size_t size);
  void commit();

 private:
  [[noreturn]] void fail(const char* what) const;

  std::filesystem::path path_, temporary_;
  int descriptor_ = -1;
};

// Throws Error(kIo) if `path` is a folder or has no folder to be in; nothing is created. For jobs that take long and
// write at the end.
void check_writable(const std::filesystem::path& path);

// Makes a folder and those that it is in, where they are not there. Throws Error(kIo).
void make_folders(const std::filesystem::path& folder);

// write() and commit() in one step.
void write_file(const std::filesystem::path& path, std::string_view content);

}  // namespace twofold

#endif  // TWOFOLD_SRC_BASE_FILES_H_
