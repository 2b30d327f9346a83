#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <thread>
#include <utility>

#include "base/cancellation.h"
#include "base/error.h"
#include "base/files.h"
#include "base/job_outputs.h"

namespace twofold {

namespace {

// Bytes that are written at once; a job can be cancelled in between.
constexpr size_t kBlock = size_t{4} << 20;
constexpr std::chrono::milliseconds kBetweenLooks{10};

// Waits for whoever reads a pipe, as the shell does, but not longer than the job lasts.
int open_stream(const std::filesystem::path& path) {
  int descriptor;
  while ((descriptor = ::open(path.c_str(), O_WRONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK)) < 0 && errno == ENXIO) {
    throw_if_cancelled();
    std::this_thread::sleep_for(kBetweenLooks);
  }
  if (descriptor >= 0) ::fcntl(descriptor, F_SETFL, ::fcntl(descriptor, F_GETFL) & ~O_NONBLOCK);
  return descriptor;
}

}  // namespace

AtomicFile::AtomicFile(std::filesystem::path path) : path_(std::move(path)), target_(output_path(path_)) {
  switch (target_.kind) {
    case OutputPath::Kind::kFile:
      note_written(target_.path);
      temporary_ = std::make_unique<TemporaryFile>(target_.path.parent_path());
      descriptor_ = temporary_->descriptor();
      break;
    case OutputPath::Kind::kStream: descriptor_ = open_stream(target_.path); break;
    case OutputPath::Kind::kDescriptor: descriptor_ = ::fcntl(target_.descriptor, F_DUPFD_CLOEXEC, 0); break;
  }
  if (descriptor_ < 0) fail(is_stream() ? "open" : "create a file beside");
  if (!target_.exists) return;
  // The owner first: a change of it takes bits of the mode away. Who may not change it becomes the owner.
  if (::fchown(descriptor_, target_.owner, target_.group) != 0 && errno != EPERM) fail("write");
  if (::fchmod(descriptor_, target_.mode) != 0) fail("write");
}

AtomicFile::~AtomicFile() {
  if (is_stream() && descriptor_ >= 0) ::close(descriptor_);
}

void AtomicFile::write(const void* data, size_t size) {
  const char* cursor = static_cast<const char*>(data);
  while (size > 0) {
    throw_if_cancelled();
    const ssize_t written = ::write(descriptor_, cursor, std::min(size, kBlock));
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) fail("write");
    cursor += written;
    size -= static_cast<size_t>(written);
    size_ += static_cast<uint64_t>(written);
  }
}

void AtomicFile::sync() {
  if (!is_stream() && ::fsync(descriptor_) != 0 && errno != EINVAL && errno != EROFS) fail("write");
}

void AtomicFile::commit() {
  if (is_stream()) {
    const int descriptor = std::exchange(descriptor_, -1);
    if (::close(descriptor) != 0 && errno != EINTR) fail("write");
    return;
  }
  if (!temporary_->publish(target_.path)) fail("replace");
  if (!temporary_->close()) fail("write");
}

void AtomicFile::fail(const char* what) const {
  throw_error(ErrorCode::kIo, "cannot {} '{}': {}", what, path_.string(), std::strerror(errno));
}

void check_writable(const std::filesystem::path& path) { output_path(path); }

void write_file(const std::filesystem::path& path, std::string_view content) {
  AtomicFile file(path);
  file.write(content.data(), content.size());
  file.sync();
  file.commit();
}

}  // namespace twofold
