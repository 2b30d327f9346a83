#include "base/output_path.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstring>
#include <string_view>

#include "base/error.h"

namespace twofold {

namespace {

namespace fs = std::filesystem;

constexpr int kMaxLinks = 40;  // as many as Linux follows

[[noreturn]] void fail(const fs::path& path, std::string_view why) {
  throw_error(ErrorCode::kIo, "cannot write '{}': {}", path.string(), why);
}

// -1 where the path names none. Opening these names would begin a file behind stdout anew, or replace it.
int named_descriptor(const fs::path& path) {
  const std::string name = path.string();
  if (name == "-" || name == "/dev/stdout") return STDOUT_FILENO;
  if (name == "/dev/stderr") return STDERR_FILENO;
  for (const std::string_view folder : {"/dev/fd/", "/proc/self/fd/"}) {
    if (!name.starts_with(folder)) continue;
    const char* const end = name.data() + name.size();
    int number = -1;
    const auto [rest, error] = std::from_chars(name.data() + folder.size(), end, number);
    if (error == std::errc() && rest == end && number >= 0) return number;
  }
  return -1;
}

// A descriptor, or what no link is.
OutputPath behind_links(const fs::path& asked) {
  fs::path path = asked;
  for (int links = 0; links <= kMaxLinks; ++links) {
    if (const int descriptor = named_descriptor(path); descriptor >= 0) {
      return {.kind = OutputPath::Kind::kDescriptor, .path = path, .descriptor = descriptor};
    }
    std::error_code error;
    const fs::path target = fs::read_symlink(path, error);
    if (error) return {.path = path};
    path = path.parent_path() / target;  // the target alone where it is absolute
  }
  fail(asked, std::strerror(ELOOP));
}

void check_descriptor(const fs::path& asked, int descriptor) {
  const int flags = ::fcntl(descriptor, F_GETFL);
  if (flags < 0 || (flags & O_ACCMODE) == O_RDONLY) fail(asked, "it is not open for writing");
}

void check_folder(const fs::path& asked, const fs::path& path) {
  const fs::path folder = path.has_parent_path() ? path.parent_path() : ".";
  std::error_code error;
  if (!fs::is_directory(folder, error)) fail(asked, fmt::format("there is no folder '{}'", folder.string()));
  if (::access(folder.c_str(), W_OK) != 0) fail(asked, std::strerror(errno));
}

}  // namespace

OutputPath output_path(const fs::path& path) {
  if (path.empty()) throw_error(ErrorCode::kInvalidArgument, "the path of a file to write is empty");
  OutputPath result = behind_links(path);
  if (result.kind == OutputPath::Kind::kDescriptor) {
    check_descriptor(path, result.descriptor);
    return result;
  }
  struct stat status {};
  if (::stat(result.path.c_str(), &status) != 0) {
    if (!result.path.has_filename()) fail(path, "it is a folder");
    check_folder(path, result.path);
    return result;
  }
  if (S_ISDIR(status.st_mode)) fail(path, "it is a folder");
  if (::access(result.path.c_str(), W_OK) != 0) fail(path, std::strerror(errno));
  if (!S_ISREG(status.st_mode)) {
    result.kind = OutputPath::Kind::kStream;
    return result;
  }
  check_folder(path, result.path);
  result.exists = true;
  result.mode = status.st_mode & 07777;
  result.owner = status.st_uid;
  result.group = status.st_gid;
  return result;
}

}  // namespace twofold
