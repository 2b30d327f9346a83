#include "base/temporary_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdio>
#include <string>
#include <utility>

namespace twofold {

namespace {

std::atomic<unsigned> next_number = 0;

// How Linux names an open file, for linkat().
std::string link_to(int descriptor) { return fmt::format("/proc/self/fd/{}", descriptor); }

}  // namespace

template <typename Take>
bool TemporaryFile::take_name(const Take& take) {
  do {
    // Short, whatever the name that the file is to have.
    name_ = folder_ / fmt::format(".twofold-{}-{}", ::getpid(), next_number++);
    if (take(name_.c_str())) return true;
  } while (errno == EEXIST);
  name_.clear();
  return false;
}

TemporaryFile::TemporaryFile(const std::filesystem::path& folder, Name name)
    : folder_(folder.empty() ? std::filesystem::path(".") : folder) {
  if (name == Name::kIfNeeded) {
    descriptor_ = ::open(folder_.c_str(), O_TMPFILE | O_WRONLY | O_CLOEXEC, 0666);
    if (descriptor_ >= 0 && ::access(link_to(descriptor_).c_str(), F_OK) == 0) return;
    close();
  }
  take_name([this](const char* path) {
    descriptor_ = ::open(path, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0666);
    return descriptor_ >= 0;
  });
}

TemporaryFile::~TemporaryFile() {
  close();
  if (!name_.empty()) ::unlink(name_.c_str());
}

bool TemporaryFile::publish(const std::filesystem::path& path) {
  if (name_.empty()) {
    const std::string self = link_to(descriptor_);
    const auto link = [&self](const char* to) {
      return ::linkat(AT_FDCWD, self.c_str(), AT_FDCWD, to, AT_SYMLINK_FOLLOW) == 0;
    };
    if (link(path.c_str())) return true;
    if (errno != EEXIST || !take_name(link)) return false;  // a link replaces nothing
  }
  if (std::rename(name_.c_str(), path.c_str()) != 0) return false;
  name_.clear();
  return true;
}

bool TemporaryFile::close() {
  const int descriptor = std::exchange(descriptor_, -1);
  return descriptor < 0 || ::close(descriptor) == 0 || errno == EINTR;
}

}  // namespace twofold
