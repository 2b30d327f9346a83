// What the path of a file to write stands for.
#ifndef TWOFOLD_SRC_BASE_OUTPUT_PATH_H_
#define TWOFOLD_SRC_BASE_OUTPUT_PATH_H_

#include <sys/types.h>

#include <filesystem>

namespace twofold {

// Links are followed, so that what they lead to is written and they stay.
struct OutputPath {
  enum class Kind {
    kFile,        // a regular file, or nothing yet
    kStream,      // a device, a pipe or a socket: written as it comes
    kDescriptor,  // one that this process has open: "-" (stdout), /dev/stdout, /dev/stderr, /dev/fd/N, /proc/self/fd/N
  };

  Kind kind = Kind::kFile;
  std::filesystem::path path;  // behind all links
  int descriptor = -1;         // of kDescriptor
  bool exists = false;         // of kFile
  // Of kFile that exists: what its successor gets.
  mode_t mode = 0;
  uid_t owner = 0;
  gid_t group = 0;
};

// Throws Error(kIo) that names the path where it is empty, a folder, in no folder, or closed to this process; nothing
// is created.
OutputPath output_path(const std::filesystem::path& path);

}  // namespace twofold

#endif  // TWOFOLD_SRC_BASE_OUTPUT_PATH_H_
